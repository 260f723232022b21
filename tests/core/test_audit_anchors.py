"""The audit log against anchors outside the database (issue 9, 33): changes hidden by the database's owner are found."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from tests.factories import Account, Make
from vetrina.core import audit
from vetrina.core.jobs import audit_anchors
from vetrina.core.jobs.audit_anchors import Comparison
from vetrina.core.services import Services

CUTS = {
    "the newest rows cut and the head moved back": """
        delete from core.audit_logs where account_id = %(account)s and position > 3;
        update core.audit_heads h set position = 3, hash = l.hash from core.audit_logs l
         where h.account_id = %(account)s and l.account_id = h.account_id and l.position = 3
    """,
    "the last row rewritten and hashed again": """
        update core.audit_logs set action = 'nothing_done' where account_id = %(account)s and position = 5;
        update core.audit_logs l set hash = core.audit_hash(l) where account_id = %(account)s and position = 5;
        update core.audit_heads h set hash = l.hash from core.audit_logs l
         where h.account_id = %(account)s and l.account_id = h.account_id and l.position = 5
    """,
    "a whole chain removed": """
        delete from core.audit_details where account_id = %(account)s;
        delete from core.audit_logs where account_id = %(account)s;
        delete from core.audit_heads where account_id = %(account)s
    """,
}


@pytest.fixture
async def anchored(services: Services, make: Make) -> Account:
    """Return an account with an anchored chain of five rows."""
    account = await make.account()
    await _write(services, account.id, 5 - await _length(services, account.id))
    await _append(services)
    return account


async def _length(services: Services, account: UUID) -> int:
    async with services.db.read() as tx:
        return len(await tx.fetch_all(audit.LIST, account=account, action=None, before=UUID(int=2**128 - 1), limit=100))


async def _write(services: Services, account: UUID, count: int) -> None:
    for number in range(count):
        async with services.db.tx() as tx:
            await audit.record(tx, "test_action", account, metadata={"number": number})


async def _append(services: Services) -> audit_anchors.Anchor | None:
    services.settings.data.mkdir(parents=True, exist_ok=True)
    async with services.db.read() as tx:
        return await audit_anchors.append(tx, services.settings.data, services.keys)


async def _compare(services: Services) -> Comparison:
    async with services.db.read() as tx:
        return await audit_anchors.compare(tx, services.settings.data, services.keys)


def _tamper(owner: str, account: UUID, statements: str) -> None:
    with psycopg.connect(owner) as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for statement in statements.split(";"):
            connection.execute(statement.encode(), {"account": account})


@pytest.mark.parametrize("cut", CUTS)
async def test_anchors_detect_tampering_that_chains_do_not(services: Services, anchored: Account, owner: str, cut: str) -> None:
    assert (await _compare(services)).faults == []
    _tamper(owner, anchored.id, CUTS[cut])
    async with services.db.read() as tx:
        assert await audit.faults(tx) == [], "the chains by themselves hold"
    faults = (await _compare(services)).faults
    assert [fault.account_id for fault in faults] == [anchored.id]


async def test_only_heads_that_moved_are_anchored_again(services: Services, anchored: Account) -> None:
    assert await _append(services) is None
    await _write(services, anchored.id, 1)
    anchor = await _append(services)
    assert anchor is not None and [(head.account_id, head.position) for head in anchor.heads] == [(anchored.id, 6)]
    comparison = await _compare(services)
    assert comparison.faults == [] and comparison.last == anchor.at


async def test_changed_file_is_detected(services: Services, anchored: Account) -> None:
    await _write(services, anchored.id, 1)
    await _append(services)
    path: Path = services.settings.data / audit_anchors.FILE
    first, second = path.read_bytes().splitlines()
    for content in (first.replace(b'",5,"', b'",4,"') + b"\n" + second, second, b"{}\n", b"not JSON\n" + first):
        path.write_bytes(content + b"\n")
        assert (await _compare(services)).faults[0].what.startswith("line 1 of audit-anchors.jsonl")


async def test_no_anchor_yet(services: Services) -> None:
    comparison = await _compare(services)
    assert (comparison.last, comparison.heads, comparison.faults) == (None, 0, [])
