"""The audit log: every important action writes a row; changed, removed or added rows are detected."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.factories import Account, Make, race
from tests.server import Site
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core import audit
from vetrina.core import site_settings as platform
from vetrina.core.audit import SITE_CHAIN, Actor, Fault
from vetrina.core.database.connection import Database, Tx
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import Asset


async def rows_of(db: Database, account: UUID) -> list[audit.Row]:
    """Return the account's rows, oldest first."""
    async with db.read() as tx:
        rows = await tx.fetch_all(audit.LIST, account=account, before=UUID(int=2**128 - 1), action=None, limit=100)
    return rows[::-1]


async def faults(db: Database) -> list[Fault]:
    async with db.read() as tx:
        return await audit.faults(tx)


def tamper(owner: str, *statements: str, **arguments: Any) -> None:
    """Tamper as a superuser with triggers disabled."""
    with psycopg.connect(owner) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in statements:
            assert connection.execute(statement.encode(), arguments).rowcount != 0, statement


@pytest.fixture
async def chain(services: Services, make: Make) -> Account:
    """Return an account with a chain of about eight rows, beside another account's chain."""
    await make.account()
    account = await make.account()
    async with services.db.tx() as tx:
        for n in range(6):
            await audit.record(
                tx, "thing_done", account.id, resource=("thing", n), said={"n": n}, actor=Actor("user", account.id, "192.0.2.1")
            )
    assert await faults(services.db) == []
    return account


TAMPERED = {
    "changed": ["update core.audit_logs set action = 'other_done' where account_id = %(a)s and position = 4"],
    "changed and hashed anew": [
        "update core.audit_logs set resource_id = '99' where account_id = %(a)s and position = 4",
        "update core.audit_logs l set hash = core.audit_hash(l) where account_id = %(a)s and position = 4",
    ],
    "said to have come from elsewhere": [
        "update core.audit_details d set ip = '203.0.113.5' from core.audit_logs l where l.account_id = %(a)s"
        " and l.position = 4 and d.account_id = l.account_id and d.id = l.id"
    ],
    "robbed of its details": [
        "delete from core.audit_details d using core.audit_logs l where l.account_id = %(a)s and l.position = 4 and d.id = l.id"
    ],
    "removed": ["delete from core.audit_logs where account_id = %(a)s and position = 4"],
    "removed and closed up": [
        "delete from core.audit_logs where account_id = %(a)s and position = 4",
        "update core.audit_logs set position = position - 1 where account_id = %(a)s and position > 4",
    ],
    "removed at the end": [
        "delete from core.audit_logs l where account_id = %(a)s"
        " and position = (select max(position) from core.audit_logs where account_id = %(a)s)"
    ],
    "added at the end": [
        "insert into core.audit_logs (account_id, id, position, actor_type, action, previous_hash, hash)"
        " select account_id, core.new_id(), position + 1, 'system', 'thing_done', hash, '' from core.audit_logs"
        " where account_id = %(a)s order by position desc limit 1",
        "update core.audit_logs l set hash = core.audit_hash(l) where account_id = %(a)s and hash = ''",
    ],
    "added in between": [
        "update core.audit_logs set position = position + 1000 where account_id = %(a)s and position >= 4",
        "update core.audit_logs set position = position - 999 where account_id = %(a)s and position >= 1000",
        "insert into core.audit_logs (account_id, id, position, actor_type, action, previous_hash, hash)"
        " select account_id, core.new_id(), 4, 'system', 'thing_done', hash, '' from core.audit_logs"
        " where account_id = %(a)s and position = 3",
        "update core.audit_logs l set hash = core.audit_hash(l) where account_id = %(a)s and hash = ''",
    ],
    "a whole chain removed": ["delete from core.audit_logs where account_id = %(a)s"],
    "without a head": ["delete from core.audit_heads where account_id = %(a)s"],
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_tampering_is_detected(services: Services, chain: Account, owner: str, how: str) -> None:
    tamper(owner, *TAMPERED[how], a=chain.id)
    result = await faults(services.db)
    assert result and {fault.account_id for fault in result} == {chain.id}
    if "end" not in how and "whole" not in how and "head" not in how:
        assert result[0].position in {4, 5}, result


async def test_application_cannot_change_the_log(services: Services, chain: Account) -> None:
    for statement in (
        "update core.audit_logs set action = 'other_done'",
        "delete from core.audit_logs",
        "delete from core.audit_heads",
        "truncate core.audit_logs, core.audit_details",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with services.db.tx() as tx:
                await tx.connection.execute(statement.encode())
    assert await faults(services.db) == []


async def test_owner_cannot_change_the_log_by_mistake(chain: Account, owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        for statement in ("update core.audit_logs set action = 'other_done'", "delete from core.audit_logs"):
            with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
                connection.execute(statement.encode())


async def test_concurrent_writes_form_one_chain(services: Services, make: Make) -> None:
    account = await make.account()

    async def write() -> None:
        async with services.db.tx() as tx:
            await audit.record(tx, "thing_done", account.id)

    before = len(await rows_of(services.db, account.id))
    assert await race(64, write) == [None] * 64
    assert [item.position for item in await rows_of(services.db, account.id)] == list(range(1, before + 65))
    assert await faults(services.db) == []


async def test_rolled_back_change_is_not_logged(services: Services, make: Make) -> None:
    account = await make.account()
    before = await rows_of(services.db, account.id)
    with pytest.raises(RuntimeError):
        async with services.db.tx() as tx:
            await roles.grant(tx, account.id, Role.ADMIN)
            await wallet.grant(tx, account.id, Asset.TOKEN, 5, source="gift", key="x")
            raise RuntimeError
    assert await rows_of(services.db, account.id) == before


async def test_account_changes_are_logged(site: Site, make: Make) -> None:
    login = {"email": "ada@example.com", "password": "a long enough one"}
    registration = (await site.client.post("/api/v1/auth/registration", json=login)).json()
    account = UUID(registration["account"]["id"])
    await site.client.post("/api/v1/auth/session", json=login, headers={"User-Agent": "curl/8.5"})
    bearer = {"Authorization": f"Bearer {registration['access_token']}"}
    await site.client.delete("/api/v1/auth/session", headers=bearer)
    operator = await make.account()
    async with site.services.db.tx() as tx:
        await roles.grant(tx, operator.id, Role.SUPERUSER)
    async with site.api(operator) as api:
        await api.post(f"/operator/accounts/{account}/roles", json={"role": "member"})
        await api.delete(f"/operator/accounts/{account}/roles/member")
        await api.post(f"/operator/accounts/{account}/disabling", json={"why": "spam"})
        await api.post(f"/operator/accounts/{account}/enabling")
    result = await rows_of(site.services.db, account)
    reported = [(item.action, item.actor_type, item.ip) for item in result if item.action != "credits_granted"]
    ended = ("session_ended", "admin", "127.0.0.1")
    assert reported == [
        ("account_registered", "user", None),
        ("signed_in", "user", "127.0.0.1"),
        ("signed_in", "user", "127.0.0.1"),
        ("session_ended", "user", "127.0.0.1"),
        ("role_granted", "admin", "127.0.0.1"),
        ("role_revoked", "admin", "127.0.0.1"),
        ("account_disabled", "admin", "127.0.0.1"),
        ended,
        ("account_enabled", "admin", "127.0.0.1"),
    ]
    by = {item.action: item for item in result}
    assert by["account_disabled"].said == {"why": "spam"} and by["account_disabled"].actor_id == operator.id
    assert by["role_granted"].resource_id == "member" and result[2].actor_id == account
    assert await faults(site.services.db) == []


async def test_credits_and_payments_are_logged(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        pack = (await api.get("/packs")).json()["items"][0]
        payment = (await api.post("/payments", json={"pack_id": pack["id"], "gateway": "sandbox"})).json()
        await api.post(payment["checkout_url"], data={"outcome": "paid"})
        await site.client.post(payment["checkout_url"], data={"outcome": "paid"}, headers=account.headers)
    result = {item.action: item for item in await rows_of(site.services.db, account.id)}
    assert result["payment_started"].metadata["amount"] == pack["price"] and result["payment_started"].actor_type == "user"
    assert result["payment_completed"].resource_id == payment["id"]
    assert result["credits_granted"].metadata == {"asset": "token", "quantity": pack["quantity"], "source": "purchase"}


async def test_changed_identifiers_are_logged_with_their_old_value(services: Services, make: Make, owner: str) -> None:
    account = await make.account(email="old@example.com")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(
            "update accounts.accounts set email = 'new@example.com', phone = '+4915112345678', password_hash = 'x',"
            " handle = 'ada' where id = %s",
            (account.id,),
        )
    result = {item.action: item for item in await rows_of(services.db, account.id)}
    assert result["email_changed"].said == {"from": "old@example.com", "to": "new@example.com"}
    assert result["phone_changed"].said == {"from": None, "to": "+4915112345678"}
    assert {"password_changed", "handle_changed", "email_verified"} <= set(result)
    # Personal data is stored beside the chain, where it can be erased; the rows hold none.
    with psycopg.connect(owner) as connection:
        text = str(connection.execute("select json_agg(l) from core.audit_logs l").fetchone())
    assert "example.com" not in text and "4915112345678" not in text and "127.0.0.1" not in text


async def test_erased_details_are_no_fault(services: Services, chain: Account, owner: str) -> None:
    async with services.db.tx() as tx:
        await audit.record(tx, "account_erased", chain.id)
        await tx.execute(audit.FORGET, account=chain.id)
    assert await faults(services.db) == []
    tamper(owner, "update core.audit_logs set action = 'other_done' where account_id = %(a)s and position = 4", a=chain.id)
    assert next(fault.position for fault in await faults(services.db)) == 4


async def test_settings_are_logged_in_the_sites_chain(services: Services) -> None:
    async with services.db.tx() as tx:
        await audit.set_actor(tx, Actor("admin", new_id(), "192.0.2.4"))
        await platform.put(tx, "limits.api", {"count": 5, "seconds": 60})
    row = (await rows_of(services.db, SITE_CHAIN))[-1]
    assert (row.action, row.resource_id, row.actor_type, row.ip) == ("setting_changed", "limits.api", "admin", "192.0.2.4")
    assert row.metadata["to"] == {"count": 5, "seconds": 60} and row.metadata["from"]["count"] == 12000


async def test_actor_is_set_for_one_transaction(services: Services, make: Make) -> None:
    account = await make.account()
    async with services.db.connection() as connection:
        async with connection.transaction():
            await connection.execute("select set_config('vetrina.actor', %s, true)", (json.dumps({"type": "admin"}),))
            await connection.execute("insert into accounts.user_roles values (%s, 'user')", (account.id,))
        await connection.execute("delete from accounts.user_roles where account_id = %s", (account.id,))
    assert [item.actor_type for item in await rows_of(services.db, account.id)][-2:] == ["admin", "system"]


async def test_wallet_and_chain_are_locked_in_one_order(services: Services, make: Make) -> None:
    """The chain is locked last, at the commit, so that transactions cannot deadlock."""
    account = await make.account()
    turn = iter(range(1000))

    async def sign_in(tx: Tx) -> None:
        await tx.connection.execute(
            "insert into accounts.sessions (account_id, id, refresh_token_hash, expires_at)"
            " values (%s, %s, '', now() + interval '1 h')",
            (account.id, new_id()),
        )

    async def do() -> None:
        n = next(turn)
        async with services.db.tx() as tx:
            if n % 2:
                await sign_in(tx)
            await wallet.grant(tx, account.id, Asset.TOKEN, 1, source="gift", key=f"{n}")
            if not n % 2:
                await asyncio.sleep(0.001)
                await sign_in(tx)

    assert await race(40, do) == [None] * 40
    assert await faults(services.db) == []
