"""Decoding turns: one an account, by pixel counts, with an honest refusal."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import pytest

from tests.factories import Make
from tests.media.processing import bad_files as corpus
from tests.server import Site
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.media.files.decode_slots import AT_ONCE, PIXELS_PER_SECOND, DecodeSlots, DecodingBusy

LARGE, SMALL = 40_000_000, 2_000_000


class Line:
    """Images that hold a slot until they are released, in the order in which their turn came."""

    def __init__(self, slots: DecodeSlots) -> None:
        self.slots = slots
        self.began: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def enter(self, name: str, account: UUID, pixels: int, timeout: float | None = None) -> None:
        self.gates[name] = asyncio.Event()

        async def run() -> None:
            async with self.slots.hold(account, pixels, timeout):
                self.began.append(name)
                await self.gates[name].wait()

        self.tasks[name] = asyncio.create_task(run())
        await settle()

    async def leave(self, name: str) -> None:
        self.gates[name].set()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def line(services: Services) -> Line:
    return Line(DecodeSlots.provide(services))


async def test_an_account_has_one_turn_and_leaves_a_slot_to_others(line: Line):
    attacker, other = new_id(), new_id()
    for n in range(5):
        await line.enter(f"large {n}", attacker, LARGE)
    assert line.began == ["large 0"], f"one of {AT_ONCE} slots"
    await line.enter("other", other, SMALL)
    assert line.began == ["large 0", "other"], "at once"
    for name in ("other", *(f"large {n}" for n in range(5))):
        await line.leave(name)
    assert line.began == ["large 0", "other", *(f"large {n}" for n in range(1, 5))]


async def test_pixels_are_the_price_of_the_next_turn(line: Line):
    first, second, large, small = (new_id() for _ in range(4))
    await line.enter("held 1", first, SMALL)
    await line.enter("held 2", second, SMALL)
    await line.enter("large 1", large, LARGE)
    await line.enter("large 2", large, LARGE)
    for n in range(1, 4):
        await line.enter(f"small {n}", small, SMALL)
    await line.leave("held 1")
    for name in ("large 1", "small 1", "small 2", "small 3"):
        assert name in line.began or name == "small 3"
        await line.leave(name)
    assert line.began.index("small 3") < line.began.index("large 2"), "three small ones cost less than one large one"
    for name in ("held 2", "large 2"):
        await line.leave(name)
    await asyncio.gather(*line.tasks.values())


async def test_more_than_the_wait_allows_is_refused_at_once_with_the_seconds(line: Line):
    account = new_id()
    fitting = 0
    while fitting * LARGE / PIXELS_PER_SECOND <= 15:
        await line.enter(f"large {fitting}", account, LARGE, timeout=15)
        fitting += 1
    began = time.monotonic()
    with pytest.raises(DecodingBusy) as refused:
        async with line.slots.hold(account, LARGE, 15):
            raise AssertionError("it had no turn")
    assert time.monotonic() - began < 0.5
    seconds = int(refused.value.response_headers()["Retry-After"])
    assert 5 <= seconds <= 15 and f"in {seconds} seconds" in refused.value.message
    assert f"{fitting} of your pictures" in refused.value.message
    async with line.slots.hold(new_id(), LARGE, 15):
        pass  # others are not refused
    for n in range(fitting):
        await line.leave(f"large {n}")
    async with line.slots.hold(account, LARGE, 15):
        pass


async def test_a_cancelled_or_expired_wait_gives_its_turn_back(line: Line):
    accounts = [new_id() for _ in range(4)]
    await line.enter("a", accounts[0], SMALL)
    await line.enter("b", accounts[1], SMALL)
    await line.enter("cancelled", accounts[2], SMALL)
    line.tasks["cancelled"].cancel()
    with pytest.raises(DecodingBusy):
        async with line.slots.hold(accounts[3], SMALL, 0.05):
            raise AssertionError("both slots are taken")
    await line.leave("a")
    await line.leave("b")
    await asyncio.gather(*line.tasks.values(), return_exceptions=True)
    for _ in range(2):
        async with line.slots.hold(accounts[0], SMALL, 0.1), line.slots.hold(accounts[1], SMALL, 0.1):
            pass


async def test_forty_connections_with_forty_megapixels_do_not_make_others_wait(site: Site, make: Make):
    attacker, other = await make.account(confirmed=False), await make.account()
    bomb = corpus.png_of(8000, 5000)
    picture = corpus.photograph(800, 600)

    async def attack() -> int:
        answer = await api.post("/files", files={"file": ("b.png", bomb, "image/png")}, data={"category": "profile_image"})
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
        return answer.status_code

    async with site.api(attacker) as api, site.api(other) as other_api:
        attacks = [asyncio.create_task(attack()) for _ in range(40)]
        await asyncio.sleep(0.5)
        waits: list[float] = []
        for _ in range(3):
            began = time.monotonic()
            answer = await other_api.post(
                "/files", files={"file": ("a.jpg", picture, "image/jpeg")}, data={"category": "profile_image"}
            )
            assert answer.status_code == 201, answer.text
            waits.append(time.monotonic() - began)
        outcomes = await asyncio.gather(*attacks)
    assert outcomes.count(429) >= 25, outcomes
    print(f"the others waited {', '.join(f'{wait:.2f}' for wait in waits)} s")
    assert min(waits) < 4, f"the others waited {waits} s"
