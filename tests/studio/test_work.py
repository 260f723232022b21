"""The way of a generation through the worker: done, failed, cancelled, taken up again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import psycopg

from tests.factories import Make, race
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.clients.engines.base import EngineRefused, EngineRequest, EngineResult, EngineUnavailable, Progress
from vetrina.core.services import Services
from vetrina.demo.photos import path_of
from vetrina.studio.generations import jobs
from vetrina.studio.styles.catalogue import Catalogue


class Scripted:
    """An engine for what the real one does not do on demand: it waits, refuses, is away."""

    name = "builtin"

    def __init__(self, *script: BaseException | str) -> None:
        self.script = list(script)
        self.calls = 0
        self.stopped = 0
        self.may_end = asyncio.Event()

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        self.calls += 1
        step = self.script.pop(0) if self.script else "done"
        if isinstance(step, BaseException):
            raise step
        await progress(0.4, "Half way")
        if step == "wait":
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                self.stopped += 1
                raise
        return EngineResult([path_of("coffee").read_bytes()], "image/jpeg", {})


def use(services: Services, engine: Scripted) -> Scripted:
    """Let `engine` stand where the built-in one does."""
    response = services.get(Catalogue)
    response.engines["builtin"] = replace(response.engines["builtin"], engine=engine)
    return engine


async def test_generation_completes_and_is_charged(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        product = await upload(api)
        generation = (await api.post("/generations", json=wish(product, seed=3))).json()
        steps = await told(api, generation["id"])
        done = await ended(api, generation["id"])
        assert done["status"] == "completed" and done["progress"] == 100 and done["error_message"] is None
        assert done["processing_time_ms"] > 0 and done["attempt"] == 1
        [result] = done["result_files"]
        assert max(result["width"], result["height"]) == 480
        picture = await site.client.get(result["url"])
        assert picture.status_code == 200 and picture.headers["content-type"].startswith("image/")
        assert steps[-1]["status"] == "completed"
        shares = [step["progress"] for step in steps]
        assert shares == sorted(shares) and any(0 < item < 100 for item in shares), steps
        assert any(step["step"] for step in steps)
        usage = (await api.get("/usage")).json()["items"]
        assert {"generation_started", "generation_completed"} <= {item["action"] for item in usage}
    assert await make.balance(account) == (2, 0)
    await make.books()


async def told(api: Any, generation: str) -> list[dict[str, Any]]:
    """Every server-sent event of a generation until it ends."""
    result: list[dict[str, Any]] = []
    async with api.stream("GET", f"/generations/{generation}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                result.append(msgspec.json.decode(line[5:]))  # noqa: PERF401
    return result


async def test_engine_refusal_is_reported_and_refunded(site: Site, worker: Services, make: Make) -> None:
    engine = use(worker, Scripted(EngineRefused("This cannot be painted.")))
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        generation_id = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        done = await ended(api, generation_id)
        assert (done["status"], done["error_message"]) == ("failed", "This cannot be painted.")
        assert engine.calls == 1
    assert await make.balance(account) == (3, 0)
    await make.books()


async def test_unavailable_engine_is_retried(site: Site, worker: Services, make: Make) -> None:
    engine = use(worker, Scripted(EngineUnavailable("Away just now."), "done"))
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        generation_id = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        done = await ended(api, generation_id)
        assert done["status"] == "completed" and done["attempt"] == 2 and engine.calls == 2
    assert await make.balance(account) == (2, 0)


async def test_cancelling_stops_the_engine_and_gives_back(site: Site, worker: Services, make: Make) -> None:
    engine = use(worker, Scripted("wait"))
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        generation_id = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        async with asyncio.timeout(20):
            while (await api.get(f"/generations/{generation_id}")).json()["progress"] < 40:
                await asyncio.sleep(0.05)
        answer = await api.post(f"/generations/{generation_id}/cancellation")
        assert answer.status_code == 200 and answer.json()["status"] == "cancelled"
        async with asyncio.timeout(20):
            while not engine.stopped:
                await asyncio.sleep(0.05)
        again = await api.post(f"/generations/{generation_id}/cancellation")
        assert again.status_code == 409 and "cancelled" in again.json()["detail"]
    assert await make.balance(account) == (3, 0)
    await make.books()


async def test_cancel_and_completion_race_to_one_end(site: Site, make: Make) -> None:
    """Many times over: either it is completed and charged, or it is cancelled and given back."""
    engine = Scripted()
    use(site.services, engine)
    account = await make.account(tokens=12)
    ends: list[str] = []
    async with site.api(account) as api:
        product = await upload(api)
        for number in range(12):
            generation_id = (await api.post("/generations", json=wish(product))).json()["id"]
            work = asyncio.create_task(jobs.generate(site.services, account_id=str(account.id), generation_id=generation_id))
            await asyncio.sleep(number * 0.03)
            answer = await api.post(f"/generations/{generation_id}/cancellation")
            await work
            done = (await api.get(f"/generations/{generation_id}")).json()
            assert done["status"] == ("cancelled" if answer.status_code == 200 else "completed")
            assert len(done["result_files"]) == (done["status"] == "completed")
            ends.append(done["status"])
        completed = ends.count("completed")
        files = (await api.get("/files", params={"category": "generated_image"})).json()["items"]
        assert len(files) == completed
    assert await make.balance(account) == (12 - completed, 0)
    await make.books()


async def test_a_worker_that_was_replaced_changes_nothing(site: Site, make: Make) -> None:
    engine = use(site.services, Scripted("wait", "done"))
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        generation_id = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        first = asyncio.create_task(jobs.generate(site.services, account_id=str(account.id), generation_id=generation_id))
        while engine.calls < 1:
            await asyncio.sleep(0.02)
        await jobs.generate(site.services, account_id=str(account.id), generation_id=generation_id)
        engine.may_end.set()
        await first
        done = (await api.get(f"/generations/{generation_id}")).json()
        assert done["status"] == "completed" and done["attempt"] == 2 and len(done["result_files"]) == 1
    assert await make.balance(account) == (2, 0)
    await make.books()


async def test_64_cancellations_at_once_give_back_once(site: Site, make: Make) -> None:
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        generation_id = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        answers = await race(64, lambda: api.post(f"/generations/{generation_id}/cancellation"))
        statuses = sorted(answer.status_code for answer in answers if not isinstance(answer, BaseException))
        assert statuses == [200] + [409] * 63
    assert await make.balance(account) == (3, 0)
    await make.books()


async def test_retry_is_a_new_generation_of_one_that_failed(site: Site, worker: Services, make: Make) -> None:
    use(worker, Scripted(EngineRefused("Not today."), "done"))
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        generation_id = (await api.post("/generations", json=wish(await upload(api), seed=11, prompt="words"))).json()["id"]
        await ended(api, generation_id)
        again = await api.post(f"/generations/{generation_id}/retry")
        assert again.status_code == 201, again.text
        body = again.json()
        assert (
            body["id"] != generation_id and body["retry_of"] == generation_id and body["seed"] == 11 and body["prompt"] == "words"
        )
        done = await ended(api, body["id"])
        assert done["status"] == "completed"
        assert (await api.post(f"/generations/{body['id']}/retry")).status_code == 409
    assert await make.balance(account) == (2, 0)


async def test_generation_with_a_deleted_image_fails_and_is_refunded(site: Site, make: Make) -> None:
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        product = await upload(api)
        generation_id = (await api.post("/generations", json=wish(product))).json()["id"]
        assert (await api.delete(f"/files/{product}")).status_code == 204
        await jobs.generate(site.services, account_id=str(account.id), generation_id=generation_id)
        done = (await api.get(f"/generations/{generation_id}")).json()
        assert done["status"] == "failed" and "deleted" in done["error_message"]
    assert await make.balance(account) == (3, 0)


async def test_lost_generations_are_queued_again(site: Site, make: Make, owner: str) -> None:
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        generation_id = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
    async with site.services.db.tx() as tx:
        await tx.connection.execute("delete from procrastinate_jobs")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("alter table studio.generations disable trigger generations_touch")
        connection.execute("update studio.generations set updated_at = now() - interval '6 minutes'")
    await jobs.requeue_lost(site.services)
    await jobs.requeue_lost(site.services)
    async with site.services.db.read() as tx:
        count = "select count(*) from procrastinate_jobs where args->>'generation_id' = %s"
        row = await (await tx.connection.execute(count, (generation_id,))).fetchone()
    assert row == (1,)
