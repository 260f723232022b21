"""What must hold when it is tried from many sides at once, and what may not be told by answer, text or time."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from tests.accounts.auth_helpers import code_to, letters, post, registered, settled, unlimited, wrong
from tests.factories import PASSWORD, Make, race
from tests.server import Site
from vetrina.accounts.model import Caller
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.sessions.actions import NewSession
from vetrina.accounts.sign_in import actions
from vetrina.accounts.verification.model import WrongCode
from vetrina.core.errors import Refusal
from vetrina.core.services import Services

DOORS = ("sign_in", "sign_in_target", "codes_target", "codes_address", "codes_service")


def statuses(outcomes: list[Any]) -> Counter[int]:
    """How often each status was answered."""
    assert all(isinstance(outcome, httpx2.Response) for outcome in outcomes), outcomes
    return Counter(outcome.status_code for outcome in outcomes)


async def judged(services: Services) -> int:
    """How many guesses were counted."""
    async with services.db.read() as tx:
        row = await (await tx.connection.execute("select sum(attempt_count) from accounts.verifications")).fetchone()
    assert row is not None
    return row[0]


async def test_of_64_guesses_at_once_five_are_judged(posting: Site) -> None:
    await registered(posting, email="ada@example.com")
    code = await code_to(posting, "ada@example.com")
    body = {"email": "ada@example.com", "purpose": "email_verify", "code": wrong(code)}
    answers = await race(64, lambda: post(posting, "/auth/verifications/confirmation", body))
    assert statuses(answers) == {422: 64} and await judged(posting.services) == 5
    kinds = Counter(answer.json()["type"] for answer in answers if isinstance(answer, httpx2.Response))
    assert kinds == {"urn:vetrina:wrong-code": 5, "urn:vetrina:code-closed": 59}
    right = await post(posting, "/auth/verifications/confirmation", {**body, "code": code})
    assert right.status_code == 422 and right.json()["type"] == "urn:vetrina:code-closed"


async def test_of_64_right_guesses_at_once_one_counts(posting: Site) -> None:
    await registered(posting, phone="+989123456789")
    code = await code_to(posting, "+989123456789")
    body = {"phone": "+989123456789", "purpose": "phone_verify", "code": code}
    counts = statuses(await race(64, lambda: post(posting, "/auth/verifications/confirmation", body)))
    assert counts == {200: 1, 422: 63} and await judged(posting.services) == 0
    await post(posting, "/auth/verifications", {"phone": "+989123456789", "purpose": "sign_in"})
    code = await code_to(posting, "+989123456789", 2)
    body = {"phone": "+989123456789", "code": code}
    counts = statuses(await race(64, lambda: post(posting, "/auth/session", body)))
    assert counts == {201: 1, 422: 63}


@pytest.mark.parametrize("known", [{"email": "twin@example.com"}, {"phone": "+989123456789"}])
async def test_concurrent_registrations_create_one_account_and_notify_its_owner(posting: Site, known: dict[str, str]) -> None:
    body = {"password": PASSWORD, **known}
    outcomes = await race(4, lambda: post(posting, "/auth/registration", body))
    assert statuses(outcomes) == {201: 1, 409: 3}
    reported = {result.text for result in outcomes if isinstance(result, httpx2.Response) and result.status_code == 409}
    assert len(reported) == 1
    (message,) = reported
    ((channel, value),) = known.items()
    assert f'"field":"{channel}"' in message and value not in message and '"id"' not in message
    await settled(posting.services)
    sent = await letters(posting, value, 2)
    assert sum("already" in letter["text"] for letter in sent) >= 1
    async with posting.services.db.read() as tx:
        rows = await (await tx.connection.execute("select email, phone from accounts.accounts")).fetchall()
    assert len(rows) == 1


async def test_responses_do_not_reveal_whether_an_account_exists(posting: Site) -> None:
    await unlimited(posting.services, *DOORS)
    await registered(posting, email="known@example.com", phone="+989123456789")
    await letters(posting, "known@example.com")
    await letters(posting, "+989123456789")
    pairs = [("email", "known@example.com", "unknown@example.com"), ("phone", "+989123456789", "+989120000000")]
    for channel, existing, unknown in pairs:
        reported: list[tuple[Any, ...]] = []
        for target in (existing, unknown):
            verify = "email_verify" if channel == "email" else "phone_verify"
            answers = [
                await post(posting, "/auth/verifications", {channel: target, "purpose": verify}),
                await post(posting, "/auth/password-reset", {channel: target}),
                await post(posting, "/auth/session", {channel: target, "password": "not the right one"}),
                *[await post(posting, "/auth/verifications/confirmation", {channel: target, "purpose": verify, "code": "1"})
                  for _ in range(6)],
                *[await post(posting, "/auth/password-reset/confirmation", {channel: target, "code": "1", "password": PASSWORD})
                  for _ in range(6)],
                await post(posting, "/auth/password-reset", {channel: target}),
            ]  # fmt: skip
            reported.append(tuple((answer.status_code, answer.text, answer.headers.get("retry-after")) for answer in answers))
        assert reported[0] == reported[1]
        assert {item[0] for item in reported[0]} == {202, 401, 422} and "code-closed" in str(reported[0])
    await settled(posting.services)
    assert (await posting.client.get("/api/v1/outbox", params={"to": "unknown@example.com"})).json()["items"] == []
    assert (await posting.client.get("/api/v1/outbox", params={"to": "+989120000000"})).json()["items"] == []


async def test_response_times_do_not_reveal_accounts(site: Site, make: Make) -> None:
    """200 tries each, known and unknown in turn: the medians differ by less than the noise of one of them."""
    await unlimited(site.services, *DOORS)
    # A cheap hash, for both: whatever else differs shows the sooner. That both pay for one is counted in test_doors.
    cheap = site.services.get(Hasher)
    cheap._argon = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)  # pyright: ignore[reportPrivateUsage]
    assert cheap._dummy  # pyright: ignore[reportPrivateUsage]
    cheap._dummy = cheap._argon.hash("no account has this password")  # pyright: ignore[reportPrivateUsage]
    await registered(site, email="known@example.com")
    tries = 200

    async def times(path: str, extra: dict[str, str]) -> tuple[list[float], list[float]]:
        result: dict[str, list[float]] = {"known": [], "unknown": []}
        for turn in range(tries):
            for who in ("known", "unknown") if turn % 2 else ("unknown", "known"):
                started = time.perf_counter()
                await post(site, path, {"email": f"{who}@example.com", **extra})
                result[who].append(time.perf_counter() - started)
        return result["known"], result["unknown"]

    for path, extra in (("/auth/password-reset", {}), ("/auth/session", {"password": "not the right one"})):
        existing, unknown = await times(path, extra)
        spread = max(statistics.quantiles(item, n=4)[2] - statistics.quantiles(item, n=4)[0] for item in (existing, unknown))
        apart = abs(statistics.median(existing) - statistics.median(unknown))
        print(path, f"{statistics.median(existing) * 1000:.2f} {statistics.median(unknown) * 1000:.2f} {spread * 1000:.2f} ms")
        assert apart < max(spread, statistics.median(unknown) / 10), path


async def test_caps_on_codes(posting: Site, services: Services) -> None:
    async with services.db.tx() as tx:
        for name, count in (("codes_target", 2), ("codes_address", 3)):
            await tx.connection.execute(
                "update core.settings set value = jsonb_build_object('count', %s::int, 'seconds', 3600) where key = %s",
                (count, f"limits.{name}"),
            )
    requested = [await post(posting, "/auth/password-reset", {"email": "a@example.com"}) for _ in range(3)]
    assert [item.status_code for item in requested] == [202, 202, 429]
    assert requested[2].json()["type"] == "urn:vetrina:rate-limited" and int(requested[2].headers["retry-after"]) > 1
    # the third was counted for the address, too: it had three
    assert (await post(posting, "/auth/password-reset", {"email": "b@example.com"})).status_code == 429


async def test_registering_from_one_address_has_a_cap(posting: Site, services: Services) -> None:
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "update core.settings set value = jsonb_build_object('count', 2, 'seconds', 3600) where key = 'limits.registrations'"
        )
    result = [await post(posting, "/auth/registration", {"email": f"{n}@example.com", "password": PASSWORD}) for n in range(3)]
    assert [item.status_code for item in result] == [201, 201, 429]


async def test_sign_in_during_a_reset_leaves_no_session(posting: Site) -> None:
    await unlimited(posting.services, *DOORS)
    await registered(posting, email="ada@example.com")
    await letters(posting, "ada@example.com")
    await post(posting, "/auth/password-reset", {"email": "ada@example.com"})
    code = await code_to(posting, "ada@example.com", 2)
    caller = Caller("test", "127.0.0.1")
    services = posting.services

    async def in_by_the_old_one() -> object:
        return await actions.sign_in(services, email="ada@example.com", password=PASSWORD, kind="user", caller=caller)

    async def out() -> httpx2.Response:
        await asyncio.sleep(0.05)
        body = {"email": "ada@example.com", "code": code, "password": "another long enough one"}
        return await post(posting, "/auth/password-reset/confirmation", body)

    *entered, reset = await asyncio.gather(*(in_by_the_old_one() for _ in range(10)), out(), return_exceptions=True)
    assert isinstance(reset, httpx2.Response) and reset.status_code == 200
    assert all(isinstance(item, NewSession | Refusal) for item in entered)
    async with services.db.read() as tx:
        rows = await (await tx.connection.execute("select 1 from accounts.sessions where revoked_at is null")).fetchall()
    assert rows == [] and WrongCode.status == 422
