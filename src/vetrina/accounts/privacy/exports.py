"""A copy of everything of somebody's: asked for, made by a job as one ZIP, fetched by a signed link until it expires."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import structlog

from vetrina.accounts.privacy import queries
from vetrina.accounts.privacy.queries import Export
from vetrina.core import audit
from vetrina.core import personal_data as privacy
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Refusal
from vetrina.core.jobs.queue import enqueue
from vetrina.core.personal_data import Part, Personal
from vetrina.core.services import Services
from vetrina.core.storage.store import NotStored

log = structlog.get_logger("vetrina.accounts")

DAYS = 7
"""How long an export can be fetched."""
LINK_SECONDS = 3600
"""How long a link to it is good."""

README = """\
Everything that this Vetrina site holds of your account, as of {at}.

data/      one JSON file a table: a list of rows
pictures/  your pictures, named by the id that data/media.files.json tells

Passwords, codes and other secrets are not in it: only their hashes are kept.
"""


class ExportAlreadyRunning(Refusal):
    """A copy is being made already."""

    status = 409
    constraint = "export_under_way"


async def ask(tx: Tx, account: AccountId) -> UUID:
    """Begin an export; its id. Raises ExportAlreadyRunning (409) while another is being made."""
    found = await tx.maybe(queries.ASK_EXPORT, account=account, id=new_id(), days=DAYS)
    if found is None:
        raise ExportAlreadyRunning
    await enqueue(tx, "accounts.export", queue="exports", account=str(account), export=str(found))
    await audit.record(tx, "export_asked", account, resource=("export", found))
    return found


def link(services: Services, export: Export) -> str | None:
    """Where it can be fetched for an hour; None while it is not ready."""
    if export.status != "ready":
        return None
    path = f"/exports/{export.account_id}/{export.id}.zip"
    return f"{path}?{services.links.sign(path, LINK_SECONDS)}"


async def make(services: Services, account: AccountId, export: UUID) -> None:
    """Write the ZIP and put it where it can be fetched. A second time it writes over the first."""
    async with services.db.read() as tx:
        row = await tx.maybe(queries.EXPORT, account=account, id=export)
    if row is None or row.status != "pending":
        return
    key = f"exports/{account}/{export}.zip"
    with tempfile.TemporaryDirectory(prefix="vetrina-export-") as folder:
        file = Path(folder) / "export.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            archive.writestr("README.txt", README.format(at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
            parts = privacy.parts(services.modules)
            for part in parts:
                await _tables(services, account, part, archive)
            for part in parts:
                await _files(services, account, part, archive)
        size = file.stat().st_size
        await services.storage.put_file(key, file, "application/zip")
    async with services.db.tx() as tx:
        kept = await tx.maybe(queries.FINISH_EXPORT, account=account, id=export, status="ready", key=key, bytes=size)
    if kept is None:  # erased meanwhile
        await services.storage.delete([key])


async def drop_dead(services: Services) -> None:
    """Delete what has expired, bytes first: a row without bytes could not tell where they are."""
    async with services.db.read() as tx:
        dead = await tx.all(queries.DEAD_EXPORTS)
    for each in dead:
        if each.storage_key:
            await services.storage.delete([each.storage_key])
        async with services.db.tx() as tx:
            await tx.do(queries.DROP_EXPORT, account=each.account_id, id=each.id)
    async with services.db.tx() as tx:
        await tx.do(queries.STUCK_EXPORTS)


async def _tables(services: Services, account: AccountId, part: Part, archive: zipfile.ZipFile) -> None:
    for table in part.tables:
        if table.export is not None:
            async with services.db.tx() as tx:
                await _rows(tx, account, table, archive)


async def _rows(tx: Tx, account: AccountId, table: Personal, archive: zipfile.ZipFile) -> None:
    assert table.export is not None
    with archive.open(f"data/{table.table}.json", "w", force_zip64=True) as out:
        between = b"[\n"
        async for row in tx.each(table.export, account=account):
            await asyncio.to_thread(out.write, between + msgspec.json.encode(row))
            between = b",\n"
        out.write(b"[]\n" if between == b"[\n" else b"\n]\n")


async def _files(services: Services, account: AccountId, part: Part, archive: zipfile.ZipFile) -> None:
    if part.files is None:
        return
    async for name, key in part.files(services, account):
        try:
            stream = await services.storage.stream(key)
        except NotStored:
            log.warning("a file is missing from an export", key=key)
            continue
        info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        info.compress_type = zipfile.ZIP_STORED  # pictures are compressed already
        with archive.open(info, "w", force_zip64=True) as out:
            async for piece in stream.chunks:
                await asyncio.to_thread(out.write, piece)
