"""Pictures by fair share between accounts: their order, the place in the queue, the cap, and letters beside them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.accounts.auth_helpers import letters, settled
from tests.factories import Account, Make, race
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina import worker as worker_process
from vetrina.accounts.storage import actions as storage
from vetrina.clients.engines.base import EngineRefused, EngineRequest, EngineResult, Progress
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.modules import connect
from vetrina.studio import queries
from vetrina.studio.generations import actions
from vetrina.studio.generations.actions import GenerationRequest
from vetrina.studio.model import Generation
from vetrina.studio.styles.catalogue import Catalogue


class Recorder:
    """An engine that notes the prompts in the order in which they come, and refuses them, so that they are over at once."""

    name = "builtin"

    def __init__(self, seconds: float = 0.0) -> None:
        self.prompts: list[str] = []
        self._seconds = seconds

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        self.prompts.append(request.prompt)
        await asyncio.sleep(self._seconds)
        raise EngineRefused("Not today.")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A site whose letters can be read, with one slot for pictures."""
    return replace(settings, development=True, worker_concurrency=1)


@contextlib.asynccontextmanager
async def working(settings: Settings, database: str, engine: Recorder) -> AsyncIterator[Services]:
    services = connect(settings, database)
    stop = asyncio.Event()
    task = asyncio.create_task(worker_process.work(services, stop))
    while not services.modules.loaded:
        await asyncio.sleep(0.01)
    engines = services.get(Catalogue).engines
    engines["builtin"] = replace(engines["builtin"], engine=engine)
    try:
        yield services
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


@dataclass
class Customer:
    """An account with a picture to work from."""

    account: Account
    product: UUID

    async def begin(self, services: Services, *prompts: str) -> list[Generation]:
        """Start a picture for each of these prompts, in this order."""
        return [
            await actions.start(
                services,
                self.account.id,
                self.account.session_id,
                GenerationRequest("watercolour", prompt=prompt, product_files=[self.product]),
            )
            for prompt in prompts
        ]

    async def places(self, services: Services, started: list[Generation]) -> list[int | None]:
        async with services.db.read() as tx:
            states = [await tx.fetch_one(queries.STATE, account=self.account.id, id=one.id) for one in started]
        return [state.queue_position for state in states]


async def customer(site: Site, make: Make, *, tokens: int = 1000) -> Customer:
    account = await make.account(tokens=tokens)
    async with site.api(account) as api:
        return Customer(account, UUID(await upload(api)))


async def reset_letter(site: Site, account: Account) -> float:
    """Request a password reset, and return the seconds until its letter is there."""
    began = time.monotonic()
    target = {"email": account.email, "kind": "user"}
    assert (await site.client.post("/api/v1/auth/password-reset", json=target)).status_code == 202
    await letters(site, account.email)
    return time.monotonic() - began


async def until(engine: Recorder, count: int) -> None:
    async with asyncio.timeout(120):
        while len(engine.prompts) < count:
            await asyncio.sleep(0.02)


async def test_pictures_start_round_by_round_in_the_order_of_their_queue_positions(
    site: Site, make: Make, settings: Settings, database: str
) -> None:
    many, some, one = [await customer(site, make) for _ in range(3)]
    services = site.services
    first = await many.begin(services, *(f"many {n}" for n in range(1, 7)))
    second = await some.begin(services, "some 1", "some 2")
    third = await one.begin(services, "one 1")
    assert await many.places(services, first) == [1, 4, 6, 7, 8, 9]
    assert await some.places(services, second) == [2, 5]
    assert await one.places(services, third) == [3]
    engine = Recorder()
    async with working(settings, database, engine):
        await until(engine, 9)
    rounds = ["many 1", "some 1", "one 1", "many 2", "some 2", "many 3", "many 4", "many 5", "many 6"]
    assert engine.prompts == rounds


async def test_with_108_waiting_another_account_is_next_and_a_letter_takes_less_than_a_second(
    site: Site, make: Make, settings: Settings, database: str
) -> None:
    many, other = await customer(site, make), await customer(site, make)
    services = site.services
    await many.begin(services, *(f"many {n}" for n in range(1, 109)))
    engine = Recorder(0.15)
    async with working(settings, database, engine):
        await until(engine, 3)
        started = await other.begin(services, "other")
        before = len(engine.prompts)
        (place,) = await other.places(services, started)
        assert place in {1, 2, None}
        seconds = await reset_letter(site, other.account)
        await until(engine, before + 3)
        assert "other" in engine.prompts[before : before + 3], "the one under way, then at most one more, then this"
        assert len(engine.prompts) < 60, "the others still wait"
    async with working(settings, database, Recorder()):
        await settled(services)
        alone = await reset_letter(site, many.account)
    # On a machine that is busy with something else, the letter alone takes longer too.
    assert seconds < max(1.0, 3 * alone), f"the letter took {seconds:.2f} s, and {alone:.2f} s with nothing beside it"


async def test_more_waiting_pictures_than_the_cap_are_refused_before_the_charge(site: Site, make: Make) -> None:
    eager, other = await customer(site, make), await customer(site, make)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update core.settings set value = '3' where key = 'studio.waiting_limit'")
    async with site.api(eager.account) as api:
        answers = await race(8, lambda: api.post("/generations", json=wish(str(eager.product))))
        statuses = sorted(answer.status_code for answer in answers if not isinstance(answer, BaseException))
        assert statuses == [201] * 3 + [429] * 5
        refused = await api.post("/generations", json=wish(str(eager.product)))
        assert refused.headers["retry-after"] == "30" and refused.json()["type"] == "urn:vetrina:too-many-waiting"
        assert (refused.json()["waiting"], refused.json()["limit"]) == (3, 3)
        assert "3 of your pictures wait" in refused.json()["detail"]
        cost = 1000 - sum(await make.balance(eager.account))
        assert cost == 0 and (await make.balance(eager.account))[1] == 3 * answers_cost(answers)
        page = (await site.browser(eager.account).post("/studio", data=form(eager))).text
        assert "3 of your pictures wait" in page
        first = (await api.get("/generations")).json()["items"][0]["id"]
        assert (await api.post(f"/generations/{first}/cancellation")).status_code == 200
        assert (await api.post("/generations", json=wish(str(eager.product)))).status_code == 201
    assert len(await other.begin(site.services, "other")) == 1
    await make.books()


async def test_two_web_processes_at_once_keep_to_the_cap(site: Site, make: Make) -> None:
    """9.9a: the second counts what the first has committed, however many processes there are."""
    eager = await customer(site, make)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update core.settings set value = '3' where key = 'studio.waiting_limit'")

    def items() -> str:
        item = {"account_id": eager.account.id, "style_name": "watercolour", "product_files": [eager.product], "seed": 1}
        return msgspec.json.encode([{**item, "id": new_id()} for _ in range(2)]).decode()

    async def second() -> list[dict[str, str]]:
        async with site.services.db.tx() as tx:
            return [msgspec.json.decode(row) for row in await tx.fetch_all(queries.START, items=items())]

    async with site.services.db.tx() as tx:
        first: list[dict[str, str]] = [msgspec.json.decode(row) for row in await tx.fetch_all(queries.START, items=items())]
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.5)
        assert not waiting.done()
    assert [answer.get("outcome") for answer in first] == ["created", "created"]
    assert [answer.get("outcome", answer.get("refused")) for answer in await waiting] == ["created", "too-many-waiting"]
    await make.books()


def answers_cost(answers: list[Any]) -> int:
    return next(answer.json()["cost"] for answer in answers if answer.status_code == 201)


def form(customer: Customer) -> dict[str, str]:
    return {"style": "watercolour", "asset": "token", "product_files": str(customer.product)}


async def test_a_full_storage_refuses_a_start_and_fails_a_waiting_picture_without_a_charge(
    site: Site, make: Make, settings: Settings, database: str
) -> None:
    buyer = await customer(site, make, tokens=1000)
    (waiting,) = await buyer.begin(site.services, "waiting")
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            "update core.settings set value = '1' where key = 'storage.user_mb'"
        )  # less than the picture that is there
        await tx.connection.execute("update media.files set derived_bytes = 2000000 where account_id = %s", (buyer.account.id,))
    async with site.api(buyer.account) as api:
        refused = await api.post("/generations", json=wish(str(buyer.product)))
        assert refused.status_code == 409 and refused.json()["type"] == "urn:vetrina:storage-full"
        assert refused.json()["limit_bytes"] == 1_000_000
        engine = Recorder()
        async with working(settings, database, engine):
            failed = await ended(api, str(waiting.id))
    assert (failed["status"], failed["error_code"]) == ("failed", "storage-full")
    assert engine.prompts == [], "no engine has worked for it"
    assert await make.balance(buyer.account) == (1000, 0)


async def test_an_image_that_exceeds_the_limit_by_itself_leaves_no_bytes_and_no_charge(
    site: Site, make: Make, worker: Services, settings: Settings
) -> None:
    buyer = await customer(site, make)
    async with site.services.db.read() as tx:
        used = (await storage.use(tx, buyer.account.id)).used_bytes
    (started,) = await buyer.begin(site.services, "large")
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update core.settings set value = '1' where key = 'storage.user_mb'")
        room = 1_000_000 - used - 5_000
        assert room > 0
        await tx.connection.execute(
            "update media.files set derived_bytes = derived_bytes + %s where account_id = %s", (room, buyer.account.id)
        )
    async with site.api(buyer.account) as api:
        failed = await ended(api, str(started.id))
    assert (failed["status"], failed["error_code"]) == ("failed", "storage-full")
    assert await make.balance(buyer.account) == (1000, 0)
    folder = settings.data / "files" / str(buyer.account.id)
    assert [path.name for path in folder.iterdir()] == [str(buyer.product)]
