"""The races of codes, a thousand times over: `make torture`. One code, 64 tries at once: one counts, or five are judged."""

from __future__ import annotations

import asyncio

import pytest

from tests.factories import race
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.actions import ATTEMPTS, SentCode
from vetrina.accounts.verification.model import CodeClosed, TooManyGuesses
from vetrina.core.encryption import unseal
from vetrina.core.services import Services

ADA = Identifier("email", "ada@example.com")


async def fresh(services: Services) -> str:
    """A new code, read from the job that would send it; nothing is held against the target."""
    async with services.db.tx() as tx:
        await tx.connection.execute("delete from accounts.verifications")
        await tx.connection.execute("delete from procrastinate_jobs")
        assert await verification.send_code(tx, services, ADA, kind="user", purpose="email_verify", language="en") is None
        row = await (await tx.connection.execute("select args->>'sent' from procrastinate_jobs")).fetchone()
    assert row is not None
    return unseal(services.keys, row[0], SentCode).code


async def judged(services: Services, code: str) -> bool:
    """One guess, committed."""
    async with services.db.tx() as tx:
        return await verification.check_code(tx, services, ADA, kind="user", purpose="email_verify", code=code)


@pytest.mark.parametrize("rounds", [3, pytest.param(1000, marks=pytest.mark.torture)])
async def test_one_of_64_uses_counts_and_five_of_64_guesses(services: Services, rounds: int) -> None:
    for _ in range(rounds):
        right = await fresh(services)
        uses = await race(64, lambda code=right: judged(services, code))
        assert uses.count(True) == 1 and uses.count(False) == 63
        wrong = f"{(int(await fresh(services)) + 1) % 10**6:06}"
        guesses = await race(64, lambda code=wrong: judged(services, code))
        assert guesses.count(False) == ATTEMPTS
        assert sum(isinstance(item, CodeClosed | TooManyGuesses) for item in guesses) == 64 - ATTEMPTS


async def test_a_planted_read_then_write_is_noticed(services: Services) -> None:
    """What the race above is for: guesses that look first and count afterwards."""
    wrong = f"{(int(await fresh(services)) + 1) % 10**6:06}"

    async def looked_first() -> bool:
        async with services.db.read() as tx:
            row = await (await tx.connection.execute("select attempt_count from accounts.verifications")).fetchone()
            assert row is not None
            if row[0] >= ATTEMPTS:
                return True
            await asyncio.sleep(0.02)  # others look meanwhile
            await tx.connection.execute("update accounts.verifications set attempt_count = %s", (row[0] + 1,))
        return wrong == "right"

    assert (await race(64, looked_first)).count(False) > ATTEMPTS
