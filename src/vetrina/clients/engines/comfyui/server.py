"""One ComfyUI server over HTTP: upload, submit, ask, fetch, stop.

Routes and shapes as in ComfyUI's own server.py and execution.py. Calls that may be repeated are,
with backoff; a submission is repeated only after the queue and the history have shown that it did
not arrive.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, TypeVar, cast

import httpx2
import msgspec
import structlog

from vetrina.clients.engines.base import EngineRefused, EngineUnavailable
from vetrina.clients.engines.comfyui.errors import NO_MODEL, not_accepted
from vetrina.clients.engines.comfyui.workflow import Node
from vetrina.clients.engines.http import Picture
from vetrina.clients.engines.retry import Backoff, Passing, retried, retry_after

T = TypeVar("T")

_log = structlog.get_logger(__name__)

WHOSE = "The ComfyUI server"
FOLDER = "vetrina"
_STOPPING = 5.0  # seconds that cancelling may take


class Job(msgspec.Struct, frozen=True):
    """Our submission. Old servers choose the id themselves; the client id is ours on all of them."""

    id: str
    client: str


class Output(msgspec.Struct, frozen=True):
    """A file that a workflow saved."""

    filename: str
    subfolder: str = ""
    type: str = "output"


class Status(msgspec.Struct):
    """How a run ended, with the messages that it sent on the way."""

    status_str: str = ""
    completed: bool = False
    messages: list[tuple[str, dict[str, Any]]] = []


class _Saved(msgspec.Struct):
    """What one node saved; a node may save text, sound and more, which is of no use here."""

    images: list[Output] = []


class History(msgspec.Struct):
    """A finished run; `outputs` by node id."""

    outputs: dict[str, _Saved] = {}
    status: Status | None = None

    def pictures(self) -> list[Output]:
        """The saved pictures; previews only if nothing was saved."""
        found = [one for node in self.outputs.values() for one in node.images]
        return [one for one in found if one.type == "output"] or found


class Place(msgspec.Struct, frozen=True):
    """Where a job stands: running, or with `before` others in front of it."""

    id: str
    running: bool
    before: int


class _Uploaded(msgspec.Struct):
    name: str
    subfolder: str = ""


class _Submitted(msgspec.Struct):
    prompt_id: str


class _Queue(msgspec.Struct):
    queue_running: list[list[Any]]
    queue_pending: list[list[Any]]


class Server:
    """The calls; `http` has the server's address as its base."""

    def __init__(self, http: httpx2.AsyncClient, backoff: Backoff) -> None:
        self._http = http
        self._backoff = backoff

    async def checkpoint(self) -> str:
        """The first model that the server offers. Raises EngineRefused if it has none."""
        node = "CheckpointLoaderSimple"
        found = await self._asked("GET", f"/object_info/{node}", dict[str, Any])
        try:
            kind, *more = found[node]["input"]["required"]["ckpt_name"]
        except (KeyError, TypeError, ValueError) as error:
            raise EngineRefused(NO_MODEL) from error
        # Newer servers say ["COMBO", {"options": [...]}] where older ones list the names at once.
        options: dict[str, Any] = more[0] if more else {}
        names = cast(list[str], kind if isinstance(kind, list) else options.get("options") or [])
        if not names:
            raise EngineRefused(NO_MODEL)
        return names[0]

    async def upload(self, data: bytes, picture: Picture) -> str:
        """Send a photograph; the name under which LoadImage finds it.

        It is named by its content, so that sending it twice changes nothing.
        """
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{picture.suffix}"
        answer = await self._asked(
            "POST",
            "/upload/image",
            _Uploaded,
            files={"image": (name, data, picture.mime)},
            data={"type": "input", "subfolder": FOLDER, "overwrite": "true"},
        )
        return f"{answer.subfolder}/{answer.name}" if answer.subfolder else answer.name

    async def submit(self, job: Job, nodes: dict[str, Node]) -> Job:
        """Put the workflow into the queue, once; the job under the id that the server gave it."""
        body = msgspec.json.encode({"prompt": nodes, "client_id": job.client, "prompt_id": job.id})
        arrived = False

        async def once() -> Job:
            nonlocal arrived
            if arrived and (known := await self._known(job)):
                return known
            arrived = True
            answer = await self._answer("POST", "/prompt", content=body, headers=_JSON)
            return Job(_read(answer, _Submitted).prompt_id, job.client)

        return await retried(once, self._backoff)

    async def place(self, job: Job) -> Place | None:
        """Where the job stands in the queue; None if it is not there (any more)."""

        async def once() -> Place | None:
            return _where(await self._answer("GET", "/queue"), job)

        return await retried(once, self._backoff)

    async def history(self, job: Job) -> History | None:
        """The finished run, or None while there is none."""
        return (await self._asked("GET", f"/history/{job.id}", dict[str, History])).get(job.id)

    async def fetch(self, output: Output) -> bytes:
        """A saved file's bytes."""
        params = {"filename": output.filename, "subfolder": output.subfolder, "type": output.type}

        async def once() -> bytes:
            return (await self._answer("GET", "/view", params=params)).content

        return await retried(once, self._backoff)

    async def stop(self, job: Job) -> None:
        """Take the job out of the queue or, if it runs, interrupt it; touch no other's. Never raises."""
        try:
            async with asyncio.timeout(_STOPPING):
                place = _where(await self._answer("GET", "/queue"), job)
                if place is None:  # a submission cut off on its way may still arrive
                    await asyncio.sleep(0.3)
                    place = _where(await self._answer("GET", "/queue"), job)
                if place is not None and not place.running:
                    await self._post("/queue", {"delete": [place.id]})
                    place = _where(await self._answer("GET", "/queue"), job)  # it may just have begun
                if place is not None and place.running:
                    await self._post("/interrupt", {"prompt_id": place.id})
        except (Passing, EngineRefused, EngineUnavailable, TimeoutError) as error:
            _log.warning("comfyui_not_stopped", job=job.id, error=str(error))

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        await self._answer("POST", path, content=msgspec.json.encode(body), headers=_JSON)

    async def _known(self, job: Job) -> Job | None:
        """The job, if an earlier submission of it arrived although its answer was lost."""
        place = _where(await self._answer("GET", "/queue"), job)
        if place is not None:
            return Job(place.id, job.client)
        runs = _read(await self._answer("GET", f"/history/{job.id}"), dict[str, Any])
        return job if job.id in runs else None

    async def _asked(self, method: str, path: str, type: type[T], **options: Any) -> T:
        async def once() -> T:
            return _read(await self._answer(method, path, **options), type)

        return await retried(once, self._backoff)

    async def _answer(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """A good answer. Raises Passing for what may pass, EngineRefused in plain words for the rest."""
        try:
            answer = await self._http.request(method, path, **options)
        except httpx2.RequestError as error:
            _log.warning("comfyui_unreachable", path=path, error=repr(error))
            raise Passing(f"{WHOSE} could not be reached.") from error
        if answer.status_code < 300:
            return answer
        _log.warning("comfyui_failed", path=path, status=answer.status_code, said=answer.text[:500])
        if answer.status_code in (408, 429) or answer.status_code >= 500:
            raise Passing(f"{WHOSE} is busy or has a fault just now.", after=retry_after(answer.headers))
        raise EngineRefused(not_accepted(path, answer.status_code, answer.content))


_JSON = {"Content-Type": "application/json"}


def _where(answer: httpx2.Response, job: Job) -> Place | None:
    queue = _read(answer, _Queue)
    for entry in queue.queue_running:
        if _is(entry, job):
            return Place(str(entry[1]), True, 0)
    for index, entry in enumerate(sorted(queue.queue_pending, key=lambda entry: entry[0])):
        if _is(entry, job):
            return Place(str(entry[1]), False, index + len(queue.queue_running))
    return None


def _is(entry: list[Any], job: Job) -> bool:
    """An entry is `[number, prompt id, workflow, extra data, outputs, ...]`."""
    extra = cast(dict[str, Any], entry[3] if len(entry) > 3 and isinstance(entry[3], dict) else {})
    return entry[1] == job.id or extra.get("client_id") == job.client


def _read(answer: httpx2.Response, type: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=type)
    except (msgspec.DecodeError, ValueError) as error:
        _log.warning("comfyui_unreadable", url=str(answer.url.path), said=answer.text[:500])
        raise EngineUnavailable(f"{WHOSE} sent an answer that could not be read.") from error
