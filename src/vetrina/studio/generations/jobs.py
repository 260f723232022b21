"""Background jobs of generations: running them, and requeuing lost ones."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import msgspec
import structlog

from vetrina.accounts.storage import actions as storage
from vetrina.accounts.storage.model import StorageFull
from vetrina.clients.engines.base import EngineRefused, EngineRequest, EngineResult, EngineUnavailable
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound, Refusal, Unavailable
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.core.storage import reserve
from vetrina.media.files import actions as media
from vetrina.media.files.actions import Prepared
from vetrina.media.provenance.model import Origin, Source, SourceType
from vetrina.studio import queries
from vetrina.studio.model import ENDED, ClaimedGeneration, Picture, Status
from vetrina.studio.styles.catalogue import Catalogue

log = structlog.get_logger("vetrina.studio")

MAX_ENGINE_TRIES = 3
"""Attempts at an engine that does not answer."""
MAX_ATTEMPTS = 6
"""Attempts at a generation, including those ended by crashes and restarts."""
PROGRESS_INTERVAL = 0.25
"""Minimum seconds between progress updates."""


class RetryLater(Exception):
    """The engine does not answer; the queue retries later."""


class ClaimLost(Exception):
    """The generation has ended or another worker has claimed it: this attempt's result is discarded."""


@job("studio.generate", queue="studio", attempts=20)
async def generate(services: Services, account_id: str, generation_id: str) -> None:
    """Run one generation. Safe to repeat at any point: the attempt number is the fence."""
    work = GenerationRun(services, AccountId(UUID(account_id)), UUID(generation_id))
    if await work.claim():
        await work.run()


@job("studio.requeue_lost", queue="studio", every="*/5 * * * *")
async def requeue_lost(services: Services) -> None:
    """Requeue running generations that have no job."""
    async with services.db.tx() as tx:
        lost = await tx.fetch_all(queries.REQUEUE_LOST)
    if lost:
        log.warning("generations without a job were queued again", count=len(lost))


class GenerationRun:
    """One attempt at one generation."""

    def __init__(self, services: Services, account: AccountId, generation: UUID) -> None:
        self.services = services
        self.account = account
        self.id = generation
        self.taken: ClaimedGeneration
        self._latest = (0.0, "")
        self._news = asyncio.Event()

    async def claim(self) -> bool:
        """Claim the generation for this attempt. Return False if there is nothing to do."""
        async with self.services.db.tx() as tx:
            row = await tx.fetch_optional(queries.TAKE, account=self.account, id=self.id)
        if row is None:
            return False
        self.taken = row
        if row.attempt > MAX_ATTEMPTS:
            await self.fail("gave-up", "This picture could not be finished after several attempts. Nothing was charged.")
            return False
        return True

    async def run(self) -> None:
        """Generate the images, unless the generation is cancelled or claimed by another worker."""
        making = asyncio.create_task(self._make())
        beside = [asyncio.create_task(self._watch()), asyncio.create_task(self._report_progress())]
        try:
            await asyncio.wait({making, *beside}, return_when=asyncio.FIRST_COMPLETED)
            if making.done():
                await making
        except ClaimLost:
            log.info("a generation was taken away", generation=str(self.id))
        finally:
            for task in (making, *beside):
                await _end(task)

    async def _make(self) -> None:
        engine = self.services.get(Catalogue).engines.get(self.taken.engine)
        if engine is None:
            await self.fail("engine-gone", "This style's engine is not set up here any more. Nothing was charged.")
            return
        try:
            await self._require_room()
            request = await self._request()
            async with engine.gate:
                await self._write(0.0, "Beginning")
                result = await engine.engine.generate(request, self._progress)
            await self._save(result, self._origin(request))
        except EngineRefused as refused:
            await self.fail("engine-refused", refused.message)
        except (EngineUnavailable, Unavailable) as away:
            if self.taken.attempt >= MAX_ENGINE_TRIES:
                await self.fail("engine-unavailable", away.message)
                return
            raise RetryLater(away.message) from away
        except Refusal as refused:
            await self.fail(refused.code(), refused.message)
        except (ClaimLost, asyncio.CancelledError):
            raise
        except Exception:
            if self.taken.attempt < MAX_ENGINE_TRIES:
                raise
            log.exception("a generation failed", generation=str(self.id), house=engine.title)
            await self.fail("internal", "Something went wrong on our side. Nothing was charged.")

    async def _request(self) -> EngineRequest:
        pictures = msgspec.convert(self.taken.inputs, list[Picture])
        if len(pictures) < self.taken.wanted:
            raise EngineRefused("A picture that this was to be made from has been deleted.")
        try:
            read = {
                role: [
                    await media.read(self.services, self.account, picture.file.id)
                    for picture in pictures
                    if picture.role == role and picture.file
                ]
                for role in ("product", "model")
            }
        except NotFound as gone:
            raise EngineRefused("A picture that this was to be made from has been deleted.") from gone
        return EngineRequest(
            style=self.taken.style_name,
            prompt=self.taken.prompt,
            parameters=self.taken.parameters,
            seed=self.taken.seed,
            products=read["product"],
            models=read["model"],
        )

    def _origin(self, request: EngineRequest) -> Origin:
        """Return what the results say about how they were made."""
        style = self.services.get(Catalogue).styles.get(request.style)
        sources = [
            Source(role, data) for role, files in (("product", request.products), ("model", request.models)) for data in files
        ]
        types: dict[str, SourceType] = {
            "algorithm": "algorithmicMedia",
            "composition": "composite",
            "network": "compositeWithTrainedAlgorithmicMedia" if sources else "trainedAlgorithmicMedia",
        }
        return Origin(self.taken.engine, request.style, types[style.process if style else "network"], sources)

    async def _require_room(self) -> None:
        """Refuse before the engine's work if the result could not be stored. Raises StorageFull, DiskReserved."""
        reserve.require(self.services.settings)
        async with self.services.db.read() as tx:
            await storage.require_room(tx, self.account, 1)

    async def _progress(self, done: float, step: str) -> None:
        self._latest = (done, step)
        self._news.set()

    async def _report_progress(self) -> None:
        """Store the latest progress, throttled. Return when it is no longer wanted."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._write(*self._latest)
            except ClaimLost:
                return
            except Unavailable:
                self._news.set()
            await asyncio.sleep(PROGRESS_INTERVAL)

    async def _write(self, done: float, step: str) -> None:
        async with self.services.db.read() as tx:
            touched = await tx.execute(
                queries.PROGRESS,
                account=self.account,
                id=self.id,
                attempt=self.taken.attempt,
                progress=min(99, int(done * 100)),
                step=step[:200],
            )
        if not touched:
            raise ClaimLost

    async def _save(self, result: EngineResult, origin: Origin) -> None:
        """Store results and end the generation in one transaction; a late result is discarded."""
        if not result.images:
            raise EngineRefused("The engine returned no picture.")
        ready: list[Prepared] = []
        saved = False
        try:
            for data in result.images:
                ready.append(await media.prepare(self.services, self.account, data, origin=origin))  # noqa: PERF401
            async with self.services.db.tx() as tx:
                saved = await self._finish(tx, Status.COMPLETED)
                if saved:
                    for position, picture in enumerate(ready, 1):
                        name = f"{self.taken.style_name}-{str(self.id)[-6:]}" + (f"-{position}" if len(ready) > 1 else "")
                        await media.insert(
                            tx,
                            self.account,
                            picture,
                            category="generated_image",
                            file_name=name,
                            metadata={"generation_id": str(self.id), "style_name": self.taken.style_name},
                        )
                        await tx.execute(
                            queries.INSERT_RESULT, account=self.account, id=self.id, position=position, file=picture.id
                        )
        except StorageFull:
            saved = False  # the transaction is undone
            raise
        finally:
            if not saved:
                for picture in ready:
                    await media.delete_orphan(self.services, picture)

    async def fail(self, code: str, message: str) -> None:
        """End the generation as failed and return its credits."""
        async with self.services.db.tx() as tx:
            await self._finish(tx, Status.FAILED, code, message)

    async def _finish(self, tx: Tx, status: Status, code: str | None = None, message: str | None = None) -> bool:
        return await tx.fetch_one(
            queries.FINISH,
            account=self.account,
            id=self.id,
            attempt=self.taken.attempt,
            status=status.value,
            code=code,
            message=message,
        )

    async def _watch(self) -> None:
        """Return when the generation was ended by someone else: it was cancelled."""
        with self.services.hub.subscribe(f"generations/{self.id}") as messages:
            async for message in messages.messages(poll_interval=10):
                if message is None:
                    try:
                        async with self.services.db.read() as tx:
                            state = await tx.fetch_optional(queries.STATE, account=self.account, id=self.id)
                    except Unavailable:
                        continue
                    status = state.status if state else "cancelled"
                else:
                    status = message["status"]
                if status in ENDED and status != Status.COMPLETED:
                    return


async def _end(task: asyncio.Task[Any]) -> None:
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
