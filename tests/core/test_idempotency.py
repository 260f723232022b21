"""Idempotency-Key: one effect, the same response, never stuck."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from tests.factories import race
from vetrina.core import usage
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Invalid, KeyInUse, KeyReused, Unavailable
from vetrina.core.idempotency import Answer, idempotent

ACCOUNT = AccountId(UUID(int=7))


async def send(db: Database, key: str | None, body: Any, *, pause: float = 0, fails: Exception | None = None) -> Answer:
    """Simulate a route that writes one usage record and responds with its id."""
    async with idempotent(db, ACCOUNT, key, "POST /things", body) as keyed:
        if keyed.answer is None:
            async with db.tx() as tx:
                await usage.record(tx, ACCOUNT, "thing_made", {"work_id": str(keyed.work_id)})
                await asyncio.sleep(pause)
                if fails:
                    raise fails
                await keyed.save_response(tx, 201, {"z": str(keyed.work_id), "a": 1.50, "body": body})
        assert keyed.answer is not None
        return keyed.answer


async def scalar(db: Database, sql: Any) -> Any:
    async with db.read() as tx:
        row = await (await tx.connection.execute(sql)).fetchone()
    return row[0] if row else None


async def made(db: Database) -> int:
    return await scalar(db, "select count(*)::int from core.usage where action = 'thing_made'")


async def test_repeated_request_gets_the_identical_response(db: Database) -> None:
    first = await send(db, "k", {"of": 'a "quoted" thing\u0000 é'})
    again = await send(db, "k", {"of": 'a "quoted" thing\u0000 é'})
    assert first == again and first.status == 201 and first.body.startswith('{"z":')
    assert await made(db) == 1


async def test_key_with_another_body_is_refused(db: Database) -> None:
    await send(db, "k", {"of": 1})
    with pytest.raises(KeyReused):
        await send(db, "k", {"of": 2})
    assert await made(db) == 1


async def test_request_without_a_key_or_with_another_is_repeated(db: Database) -> None:
    for key in (None, None, "k", "l"):
        await send(db, key, {})
    assert await made(db) == 4


async def test_key_belongs_to_its_account(db: Database) -> None:
    await send(db, "k", {})
    async with idempotent(db, AccountId(UUID(int=8)), "k", "POST /other", {}) as keyed:
        assert keyed.answer is None
        async with db.tx() as tx:
            await keyed.save_response(tx, 200, None)


async def test_concurrent_request_with_the_key_is_refused(db: Database) -> None:
    outcomes = await race(32, lambda: send(db, "k", {}, pause=0.2))
    done = {outcome.body for outcome in outcomes if isinstance(outcome, Answer)}
    assert len(done) == 1 and await made(db) == 1
    assert all(isinstance(outcome, Answer | KeyInUse) for outcome in outcomes), outcomes
    assert any(isinstance(outcome, KeyInUse) for outcome in outcomes)


async def test_refused_request_releases_its_key(db: Database) -> None:
    with pytest.raises(Invalid):
        await send(db, "k", {"of": 1}, fails=Invalid())
    assert await made(db) == 0 and await scalar(db, "select count(*)::int from core.idempotency_keys") == 0
    assert (await send(db, "k", {"of": 2})).status == 201


@pytest.mark.parametrize("fault", [Unavailable(), ZeroDivisionError()], ids=["database away", "our fault"])
async def test_retry_after_an_error_reuses_the_work_id(db: Database, fault: Exception) -> None:
    with pytest.raises(type(fault)):
        await send(db, "k", {}, fails=fault)
    value = await scalar(db, "select work_id::text from core.idempotency_keys")
    with pytest.raises(KeyReused):
        await send(db, "k", {"of": 2})
    assert f'"z":"{value}"' in (await send(db, "k", {})).body
    assert await made(db) == 1


async def test_key_of_a_dead_process_is_taken_over_after_a_minute(db: Database) -> None:
    async with idempotent(db, ACCOUNT, "k", "POST /things", {}) as slow:
        async with db.tx() as tx:
            await tx.connection.execute("update core.idempotency_keys set claimed_at = claimed_at - interval '59 seconds'")
        slow._claimed_key["claimed"] = await scalar(db, "select claimed_at from core.idempotency_keys")  # type: ignore[index]
        with pytest.raises(KeyInUse):
            await send(db, "k", {})
        async with db.tx() as tx:
            await tx.connection.execute("update core.idempotency_keys set claimed_at = claimed_at - interval '2 seconds'")
        taken = await send(db, "k", {})
        assert f'"z":"{slow.work_id}"' in taken.body
        with pytest.raises(KeyInUse):
            async with db.tx() as tx:
                await usage.record(tx, ACCOUNT, "thing_made", {})
                await slow.save_response(tx, 201, {})
        slow.answer = taken
    assert await made(db) == 1
    assert await send(db, "k", {}) == taken


async def test_rolled_back_response_is_not_stored(db: Database) -> None:
    async def fails_late() -> None:
        async with idempotent(db, ACCOUNT, "k", "POST /things", {}) as keyed, db.tx() as tx:
            await keyed.save_response(tx, 201, {})
            raise Invalid

    with pytest.raises(Invalid):
        await fails_late()
    assert await scalar(db, "select count(*)::int from core.idempotency_keys") == 0


async def test_route_without_a_saved_response_raises(db: Database) -> None:
    with pytest.raises(RuntimeError, match="POST /things"):
        async with idempotent(db, ACCOUNT, "k", "POST /things", new_id()):
            pass
