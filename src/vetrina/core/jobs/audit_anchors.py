"""Anchors of the audit log: the heads of its chains, recorded outside the database.

The chains prove that no row was changed by itself. Whoever owns the database could still cut the newest rows, rewrite one
and hash again, or remove a whole chain. So every hour the heads that moved are appended to a file in the data folder, each
line authenticated with the site's secret key and chained to the line before it. `vetrina audit verify` compares. The
digest of each line is also logged, so that a log collector keeps it elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from vetrina.core.audit import Fault
from vetrina.core.database.connection import Statement, Tx
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services

log = structlog.get_logger("vetrina.audit")

FILE = "audit-anchors.jsonl"
_OVERLAP = timedelta(minutes=10)
"""Heads that moved this long before the last anchor are taken again: their transactions may have been open then."""


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The end of a chain: its account, position and hash (hexadecimal)."""

    account_id: UUID
    position: int
    hash: str


class Anchor(msgspec.Struct, frozen=True):
    """One line of the file. `mac` authenticates the time, the heads and the line before it."""

    at: datetime
    heads: list[Head]
    mac: str = ""


class Comparison(msgspec.Struct, frozen=True):
    """How the database compares with the anchors: `last` is the newest anchor's time, None if there is none."""

    last: datetime | None
    heads: int
    faults: list[Fault]


HEADS = Statement(
    Head,
    """
    select account_id, position, encode(hash, 'hex') as hash from core.audit_heads
     where updated_at >= %(since)s order by account_id
    """,
)
MISSING = Statement(
    Fault,
    """
    select a.account_id, a.position, l.id,
           case when l.id is null then 'the anchored row is missing' else 'the row is not the one that was anchored' end as what
      from unnest(%(accounts)s::uuid[], %(positions)s::bigint[], %(hashes)s::text[]) a (account_id, position, hash)
      left join core.audit_logs l on l.account_id = a.account_id and l.position = a.position
     where l.id is null or encode(l.hash, 'hex') <> a.hash
     order by a.account_id limit %(limit)s
    """,
)


def read(folder: Path, keys: list[bytes]) -> tuple[list[Anchor], str | None]:
    """Return the authentic anchors of a data folder, and what is wrong with the first line that is not; None if all are."""
    anchors: list[Anchor] = []
    path = folder / FILE
    if not path.exists():
        return anchors, None
    before = ""
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            anchor = msgspec.json.decode(line, type=Anchor)
        except msgspec.DecodeError:
            return anchors, f"line {number} of {FILE} cannot be read"
        if not any(hmac.compare_digest(anchor.mac, _mac(key, before, anchor)) for key in keys):
            return anchors, f"line {number} of {FILE} was changed, or does not follow the line before it"
        anchors.append(anchor)
        before = anchor.mac
    return anchors, None


async def append(tx: Tx, folder: Path, keys: list[bytes]) -> Anchor | None:
    """Append the heads that moved since the last anchor, and flush the file; None if none moved.

    Raises OSError if the file cannot be written.
    """
    anchors, _ = read(folder, keys)
    since = anchors[-1].at - _OVERLAP if anchors else datetime.fromtimestamp(0, UTC)
    latest = _latest(anchors)
    heads = [head for head in await tx.fetch_all(HEADS, since=since) if latest.get(head.account_id) != head]
    if not heads:
        return None
    anchor = Anchor(datetime.now(UTC), heads)
    anchor = msgspec.structs.replace(anchor, mac=_mac(keys[0], anchors[-1].mac if anchors else "", anchor))
    handle = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, msgspec.json.encode(anchor) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    return anchor


async def compare(tx: Tx, folder: Path, keys: list[bytes], limit: int = 20) -> Comparison:
    """Compare the database with the anchors of a data folder."""
    anchors, broken = read(folder, keys)
    heads = list(_latest(anchors).values())
    faults = await tx.fetch_all(
        MISSING,
        accounts=[head.account_id for head in heads],
        positions=[head.position for head in heads],
        hashes=[head.hash for head in heads],
        limit=limit,
    )
    if broken:
        faults = [Fault(UUID(int=0), 0, None, broken), *faults]
    return Comparison(anchors[-1].at if anchors else None, len(heads), faults)


@job("core.anchor_audit_log", queue="core", every="57 * * * *")
async def anchor_audit_log(services: Services) -> None:
    """Record the heads of the audit log outside the database, every hour."""
    async with services.db.read() as tx:
        anchor = await append(tx, services.settings.data, services.keys)
    if anchor is not None:
        log.info("audit log anchored", heads=len(anchor.heads), digest=anchor.mac)


def _latest(anchors: list[Anchor]) -> dict[UUID, Head]:
    return {head.account_id: head for anchor in anchors for head in anchor.heads}


def _mac(key: bytes, before: str, anchor: Anchor) -> str:
    content = msgspec.json.encode([before, anchor.at, anchor.heads])
    return hmac.new(key, b"audit anchor\0" + content, hashlib.sha256).hexdigest()
