"""One ComfyUI server over HTTP: upload, submit, poll, fetch, stop.

Routes and shapes as in ComfyUI's own server.py and execution.py. Idempotent calls are retried with
backoff; a submission is repeated only after the queue and the history have shown that it did not arrive.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar, cast

import httpx2
import msgspec
import structlog

from vetrina.clients.engines.base import EngineRefused, EngineUnavailable
from vetrina.clients.engines.comfyui.errors import NO_MODEL, describe_refusal
from vetrina.clients.engines.comfyui.workflow import Node
from vetrina.clients.engines.http import ImageHeader
from vetrina.clients.engines.retry import Backoff, Passing, retried, retry_after

T = TypeVar("T")

_log = structlog.get_logger(__name__)

SERVICE = "The ComfyUI server"
SUBFOLDER = "vetrina"
_STOP_SECONDS = 5.0  # seconds that cancelling may take


class Job(msgspec.Struct, frozen=True):
    """A submission. Old servers choose the id themselves; the client id is chosen here on all of them."""

    id: str
    client: str


class Output(msgspec.Struct, frozen=True):
    """A file that a workflow saved, as `/view` finds it."""

    filename: str
    subfolder: str = ""
    type: str = "output"


class Status(msgspec.Struct):
    """How a run ended, with the messages that it sent on the way."""

    status_str: str = ""
    completed: bool = False
    messages: list[Any] = []

    def failure(self) -> tuple[str, dict[str, Any]] | None:
        """Return the last message of an error or an interruption: its type and its data."""
        for message in reversed(self.messages):
            with suppress(msgspec.ValidationError):
                event, data = msgspec.convert(message, tuple[str, dict[str, Any]])
                if event in ("execution_error", "execution_interrupted"):
                    return event, data
        return None


class History(msgspec.Struct):
    """A finished run; `outputs` by node id, each with lists of whatever the node saved.

    Nodes save text, sound and more beside pictures, and some entries are not files
    (`{"source": "websocket", "type": "output"}`): nothing is assumed of an entry before it is read.
    """

    outputs: dict[str, Any] | None = None
    status: Status | None = None

    def pictures(self) -> list[Output]:
        """Return the saved pictures; previews only if nothing was saved."""
        files = list(self._files())
        images = [file for file in files if file.filename.lower().endswith(_IMAGE_SUFFIXES)] or files
        return [file for file in images if file.type == "output"] or images

    def _files(self) -> Iterator[Output]:
        """Yield the files among the nodes' `images`."""
        for node in (self.outputs or {}).values():
            entries: object = cast("dict[str, object]", node).get("images") if isinstance(node, dict) else None
            for entry in cast("list[object]", entries) if isinstance(entries, list) else []:
                with suppress(msgspec.ValidationError):
                    yield msgspec.convert(entry, Output)


_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class QueuePosition(msgspec.Struct, frozen=True):
    """A job's position: running, or with `ahead` others before it."""

    id: str
    running: bool
    ahead: int


class _Uploaded(msgspec.Struct):
    name: str
    subfolder: str = ""


class _Submitted(msgspec.Struct):
    prompt_id: str


class _Queue(msgspec.Struct):
    queue_running: list[list[Any]]
    queue_pending: list[list[Any]]


class Server:
    """The server's calls; `http` has its address as base URL."""

    def __init__(self, http: httpx2.AsyncClient, backoff: Backoff) -> None:
        self._http = http
        self._backoff = backoff

    async def checkpoint(self) -> str:
        """Return the first model that the server offers. Raises EngineRefused if it has none."""
        node = "CheckpointLoaderSimple"
        info = await self._request_json("GET", f"/object_info/{node}", dict[str, Any])
        try:
            kind, *more = info[node]["input"]["required"]["ckpt_name"]
        except (KeyError, TypeError, ValueError) as error:
            raise EngineRefused(NO_MODEL) from error
        # Newer servers say ["COMBO", {"options": [...]}] where older ones list the names at once.
        options: dict[str, Any] = more[0] if more else {}
        names = cast(list[str], kind if isinstance(kind, list) else options.get("options") or [])
        if not names:
            raise EngineRefused(NO_MODEL)
        return names[0]

    async def upload(self, data: bytes, picture: ImageHeader) -> str:
        """Send a photograph and return the name under which LoadImage finds it.

        The name is derived from its content, so that sending it twice changes nothing.
        """
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.{picture.suffix}"
        answer = await self._request_json(
            "POST",
            "/upload/image",
            _Uploaded,
            files={"image": (name, data, picture.mime)},
            data={"type": "input", "subfolder": SUBFOLDER, "overwrite": "true"},
        )
        return f"{answer.subfolder}/{answer.name}" if answer.subfolder else answer.name

    async def submit(self, job: Job, nodes: dict[str, Node]) -> Job:
        """Put the workflow into the queue, once; return the job with the id that the server gave it."""
        body = msgspec.json.encode({"prompt": nodes, "client_id": job.client, "prompt_id": job.id})
        arrived = False

        async def attempt() -> Job:
            nonlocal arrived
            if arrived and (earlier := await self._earlier_submission(job)):
                return earlier
            arrived = True
            answer = await self._request("POST", "/prompt", content=body, headers=_JSON)
            return Job(_decode(answer, _Submitted).prompt_id, job.client)

        return await retried(attempt, self._backoff)

    async def position(self, job: Job) -> QueuePosition | None:
        """Return the job's position in the queue, or None if it is not in it."""

        async def attempt() -> QueuePosition | None:
            return _locate(await self._request("GET", "/queue"), job)

        return await retried(attempt, self._backoff)

    async def history(self, job: Job) -> History | None:
        """Return the finished run, or None while there is none."""
        return (await self._request_json("GET", f"/history/{job.id}", dict[str, History])).get(job.id)

    async def fetch(self, output: Output) -> bytes:
        """Return a saved file's bytes."""
        params = {"filename": output.filename, "subfolder": output.subfolder, "type": output.type}

        async def attempt() -> bytes:
            return (await self._request("GET", "/view", params=params)).content

        return await retried(attempt, self._backoff)

    async def stop(self, job: Job) -> None:
        """Remove the job from the queue or, if it runs, interrupt it; other jobs are not touched. Never raises."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                position = _locate(await self._request("GET", "/queue"), job)
                if position is None:  # a submission cut off on its way may still arrive
                    await asyncio.sleep(0.3)
                    position = _locate(await self._request("GET", "/queue"), job)
                if position is not None and not position.running:
                    await self._post("/queue", {"delete": [position.id]})
                    position = _locate(await self._request("GET", "/queue"), job)  # it may just have begun
                if position is not None and position.running:
                    await self._post("/interrupt", {"prompt_id": position.id})
        except (Passing, EngineRefused, EngineUnavailable, TimeoutError) as error:
            _log.warning("comfyui_not_stopped", job=job.id, error=str(error))

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        await self._request("POST", path, content=msgspec.json.encode(body), headers=_JSON)

    async def _earlier_submission(self, job: Job) -> Job | None:
        """Return the job if an earlier submission of it arrived although its response was lost."""
        position = _locate(await self._request("GET", "/queue"), job)
        if position is not None:
            return Job(position.id, job.client)
        runs = _decode(await self._request("GET", f"/history/{job.id}"), dict[str, Any])
        return job if job.id in runs else None

    async def _request_json(self, method: str, path: str, type: type[T], **options: Any) -> T:
        async def attempt() -> T:
            return _decode(await self._request(method, path, **options), type)

        return await retried(attempt, self._backoff)

    async def _request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Return a successful response. Raises Passing for a transient failure, EngineRefused for the rest."""
        try:
            answer = await self._http.request(method, path, **options)
        except httpx2.RequestError as error:
            _log.warning("comfyui_unreachable", path=path, error=repr(error))
            raise Passing(f"{SERVICE} could not be reached.") from error
        if answer.status_code < 300:
            return answer
        _log.warning("comfyui_failed", path=path, status=answer.status_code, message=answer.text[:500])
        if answer.status_code in (408, 429) or answer.status_code >= 500:
            raise Passing(f"{SERVICE} is busy or has a fault just now.", after=retry_after(answer.headers))
        raise EngineRefused(describe_refusal(path, answer.status_code, answer.content))


_JSON = {"Content-Type": "application/json"}


def _locate(answer: httpx2.Response, job: Job) -> QueuePosition | None:
    queue = _decode(answer, _Queue)
    for entry in queue.queue_running:
        if _belongs_to(entry, job):
            return QueuePosition(str(entry[1]), True, 0)
    for index, entry in enumerate(sorted(queue.queue_pending, key=lambda entry: entry[0])):
        if _belongs_to(entry, job):
            return QueuePosition(str(entry[1]), False, index + len(queue.queue_running))
    return None


def _belongs_to(entry: list[Any], job: Job) -> bool:
    """Return whether a queue entry, `[number, prompt id, workflow, extra data, outputs, ...]`, is this job's."""
    extra = cast(dict[str, Any], entry[3] if len(entry) > 3 and isinstance(entry[3], dict) else {})
    return entry[1] == job.id or extra.get("client_id") == job.client


def _decode(answer: httpx2.Response, type: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=type)
    except (msgspec.DecodeError, ValueError) as error:
        _log.warning("comfyui_unreadable", url=str(answer.url.path), message=answer.text[:500])
        raise EngineUnavailable(f"{SERVICE} sent an answer that could not be read.") from error
