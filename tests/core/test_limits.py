"""Rate limits hold across processes, tell how they stand, and change without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from tests.make import Make, race
from tests.site import Site
from vetrina.core import limits as limiting
from vetrina.core.limits import Limits, RateLimited, Standing
from vetrina.core.services import Services, connect
from vetrina.core.settings import Settings

Setting = Callable[[str, int, int], None]


@pytest.fixture
def change(owner: str) -> Setting:
    """Sets a limit as an operator would."""

    def changed(name: str, count: int, seconds: int = 3600) -> None:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(
                "insert into core.settings (key, value, description) "
                "values (%s, jsonb_build_object('count', %s::int, 'seconds', %s::int), 'of a test') "
                "on conflict (key) do update set value = excluded.value",
                (f"limits.{name}", count, seconds),
            )

    return changed  # type: ignore[return-value]


@pytest.fixture
async def processes(settings: Settings, database: str) -> AsyncIterator[list[Limits]]:
    """The permits of four processes on one database."""
    services: list[Services] = [connect(settings, database) for _ in range(4)]
    for each in services:
        await each.db.open()
    yield [Limits(each) for each in services]
    for each in services:
        await each.db.close()


@pytest.mark.parametrize("count", [1, 7, 100])
async def test_a_small_limit_is_exact_across_processes(processes: list[Limits], change: Setting, count: int) -> None:
    change("test", count)
    turn = iter(range(10_000))
    outcomes = await race(count + 60, lambda: processes[next(turn) % 4].spend("test", "somebody"))
    assert sum(isinstance(each, Standing) for each in outcomes) == count
    assert all(isinstance(each, Standing | RateLimited) for each in outcomes)
    assert isinstance(await processes[0].spend("test", "another"), Standing)


async def test_a_large_limit_is_never_passed_and_mostly_asks_nobody(processes: list[Limits], change: Setting) -> None:
    change("test", 1000)
    passed = 0
    for turn in range(1600):
        try:
            await processes[turn % 4].spend("test", "somebody")
            passed += 1
        except RateLimited:
            pass
    assert 1000 - 4 * 20 <= passed <= 1000
    async with processes[0]._db.read() as tx:  # pyright: ignore[reportPrivateUsage]
        row = await (await tx.connection.execute("select count, key from core.rate_limits where key like 'test:%'")).fetchone()
    assert row is not None and row[0] == 1000 and "somebody" not in row[1]


async def test_the_next_window_begins_anew(processes: list[Limits], change: Setting) -> None:
    change("test", 2, 1)
    for _ in range(2):
        refused = None
        for _ in range(4):
            try:
                await processes[0].spend("test", "x")
            except RateLimited as each:
                refused = each
        if refused:
            assert 1 <= int(refused.headers["Retry-After"]) <= 2
        await asyncio.sleep(1.05)
    assert isinstance(await processes[1].spend("test", "x"), Standing)


async def test_an_operator_changes_it_without_a_restart(
    processes: list[Limits], change: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting, "FRESH", 0.0)
    change("test", 1)
    await processes[0].spend("test", "x")
    with pytest.raises(RateLimited):
        await processes[0].spend("test", "x")
    change("test", 3)
    assert [(await processes[turn % 2].spend("test", "x")) is not None for turn in range(2)] == [True, True]
    change("test", 0)
    assert await processes[0].spend("test", "x") is None


async def test_the_api_tells_how_it_stands_and_when_to_come_back(site: Site, make: Make, change: Setting) -> None:
    change("api", 3)
    one, other = await make.account(), await make.account()
    async with site.api(one) as client:
        answers = [await client.get("/me") for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert [each.headers["ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0", "0"]
    assert {each.headers["ratelimit-limit"] for each in answers} == {"3"}
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 3600 and refused.json()["type"] == "urn:vetrina:rate-limited"
    assert refused.headers["content-type"] == "application/problem+json"
    async with site.api(other) as client:
        assert (await client.get("/me")).status_code == 200
    anonymous = [(await site.client.get("/api/v1/styles")).status_code for _ in range(4)]
    assert anonymous == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("sign_in", "/auth/session", {"email": "nobody@example.com", "password": "x"}),
        ("uploads", "/files", {}),
        ("generations", "/generations", {"style_name": "none"}),
    ],
)
async def test_the_costly_calls_have_limits_of_their_own(
    site: Site, make: Make, change: Setting, name: str, path: str, body: dict[str, str]
) -> None:
    change(name, 2)
    async with site.api(await make.account()) as client:
        answers = [await client.post(path, json=body) for _ in range(3)]
        assert [each.status_code == 429 for each in answers] == [False, False, True]
        assert (await client.get("/me")).status_code == 200
