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


async def test_sent_again_it_is_answered_the_same_to_the_byte(db: Database) -> None:
    first = await send(db, "k", {"of": 'a "quoted" thing\u0000 é'})
    again = await send(db, "k", {"of": 'a "quoted" thing\u0000 é'})
    assert first == again and first.status == 201 and first.body.startswith('{"z":')
    assert await made(db) == 1


async def test_with_another_body_it_is_refused(db: Database) -> None:
    await send(db, "k", {"of": 1})
    with pytest.raises(KeyReused):
        await send(db, "k", {"of": 2})
    assert await made(db) == 1


async def test_without_a_key_and_with_another_it_is_done_anew(db: Database) -> None:
    for key in (None, None, "k", "l"):
        await send(db, key, {})
    assert await made(db) == 4


async def test_the_key_is_its_accounts_own(db: Database) -> None:
    await send(db, "k", {})
    async with idempotent(db, AccountId(UUID(int=8)), "k", "POST /other", {}) as keyed:
        assert keyed.answer is None
        async with db.tx() as tx:
            await keyed.save_response(tx, 200, None)


async def test_while_it_is_worked_on_the_others_are_told_to_wait(db: Database) -> None:
    outcomes = await race(32, lambda: send(db, "k", {}, pause=0.2))
    done = {each.body for each in outcomes if isinstance(each, Answer)}
    assert len(done) == 1 and await made(db) == 1
    assert all(isinstance(each, Answer | KeyInUse) for each in outcomes), outcomes
    assert any(isinstance(each, KeyInUse) for each in outcomes)


async def test_a_refused_request_leaves_no_trace_and_may_be_sent_again(db: Database) -> None:
    with pytest.raises(Invalid):
        await send(db, "k", {"of": 1}, fails=Invalid())
    assert await made(db) == 0 and await scalar(db, "select count(*)::int from core.idempotency_keys") == 0
    assert (await send(db, "k", {"of": 2})).status == 201


@pytest.mark.parametrize("fault", [Unavailable(), ZeroDivisionError()], ids=["database away", "our fault"])
async def test_after_a_fault_the_next_goes_on_with_the_same_thing(db: Database, fault: Exception) -> None:
    with pytest.raises(type(fault)):
        await send(db, "k", {}, fails=fault)
    begun = await scalar(db, "select work_id::text from core.idempotency_keys")
    with pytest.raises(KeyReused):
        await send(db, "k", {"of": 2})
    assert f'"z":"{begun}"' in (await send(db, "k", {})).body
    assert await made(db) == 1


async def test_a_key_whose_process_died_is_taken_over_after_a_minute_and_the_dead_one_comes_too_late(db: Database) -> None:
    async with idempotent(db, ACCOUNT, "k", "POST /things", {}) as slow:
        async with db.tx() as tx:
            await tx.connection.execute("update core.idempotency_keys set claimed_at = claimed_at - interval '59 seconds'")
        slow._place["claimed"] = await scalar(db, "select claimed_at from core.idempotency_keys")  # type: ignore[index]
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


async def test_an_answer_that_is_rolled_back_is_not_kept(db: Database) -> None:
    async def fails_late() -> None:
        async with idempotent(db, ACCOUNT, "k", "POST /things", {}) as keyed, db.tx() as tx:
            await keyed.save_response(tx, 201, {})
            raise Invalid

    with pytest.raises(Invalid):
        await fails_late()
    assert await scalar(db, "select count(*)::int from core.idempotency_keys") == 0


async def test_a_route_that_forgets_to_keep_its_answer_is_a_fault(db: Database) -> None:
    with pytest.raises(RuntimeError, match="POST /things"):
        async with idempotent(db, ACCOUNT, "k", "POST /things", new_id()):
            pass
