"""Following a run to its end: by the server's websocket while it lasts, by asking when it does not.

The socket only says how far the run is and when to look; that it is over, and how it ended, is
read from the history alone, so that a lost socket costs nothing but detail. Messages as in
ComfyUI's execution.py; binary ones are previews and are ignored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from vetrina.clients.engines.base import EngineUnavailable
from vetrina.clients.engines.comfyui.errors import not_finished
from vetrina.clients.engines.comfyui.server import History, Job, Server
from vetrina.clients.engines.comfyui.workflow import Node
from vetrina.clients.engines.http import MEGABYTE, Steady
from vetrina.clients.engines.retry import Sleep

_log = structlog.get_logger(__name__)

_BEGIN, _END = 0.1, 0.9  # the part of the progress that the run itself takes
_SAMPLER = 20.0  # a sampler's share, against 1 for any other step
_PHRASES = {
    "CheckpointLoaderSimple": "Loading the model",
    "CLIPTextEncode": "Reading the words",
    "LoadImage": "Reading the photographs",
    "EmptyLatentImage": "Laying out the canvas",
    "ImageScale": "Fitting the photographs",
    "InvertMask": "Placing the product",
    "ImageCompositeMasked": "Placing the product",
    "VAEEncode": "Preparing the photograph",
    "KSampler": "Painting",
    "VAEDecode": "Developing the picture",
    "SaveImage": "Saving the picture",
}


class _NoRedirects(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def line(
    base_url: str, job: Job, headers: Mapping[str, str], timeout: float
) -> AsyncGenerator[ClientConnection | None]:
    """The websocket on which the server tells of the job; None when there is none to be had."""
    parts = urlsplit(base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    query = urlencode({"clientId": job.client})
    try:
        socket = await _NoRedirects(
            urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/ws", query, "")),
            additional_headers=dict(headers),
            open_timeout=timeout,
            close_timeout=1,
            ping_timeout=60,  # a server that paints is slow to answer
            max_size=16 * MEGABYTE,
            proxy=None,
        )
    except (OSError, WebSocketException, TimeoutError) as error:
        _log.warning("comfyui_no_socket", error=repr(error))
        yield None
        return
    try:
        yield socket
    finally:
        await socket.close()


class Watch:
    """One run of `nodes`. `poll` are the seconds after which we ask, whether or not the socket speaks."""

    def __init__(
        self, server: Server, job: Job, nodes: dict[str, Node], told: Steady, *, poll: float, sleep: Sleep
    ) -> None:
        self._server = server
        self._job = job
        self._nodes = nodes
        self._told = told
        self._poll = poll
        self._sleep = sleep
        self._done: set[str] = set()
        self._current = ""
        self._ended = False  # by the socket's word; the history may follow a moment later
        self._failure: tuple[str, dict[str, Any]] | None = None

    async def until_done(self, socket: ClientConnection | None) -> History:
        """The finished run. Raises EngineRefused or EngineUnavailable for one that failed or vanished."""
        while True:
            finished = await self._look()
            if finished is not None:
                return finished
            if socket is None:
                await self._sleep(self._poll)
            elif not await self._listen(socket):
                _log.warning("comfyui_socket_lost", job=self._job.id)
                socket = None

    async def _look(self) -> History | None:
        finished = await self._server.history(self._job)
        if finished is None:
            place = await self._server.place(self._job)
            if place is None:
                # It may have ended between the two questions; otherwise the server forgot it.
                finished = await self._server.history(self._job)
                if finished is None:
                    raise EngineUnavailable("The ComfyUI server no longer knows this picture.")
            elif place.before:
                others = "one other" if place.before == 1 else f"{place.before} others"
                await self._told(0.08, f"Waiting in the queue behind {others}")
            elif not self._current:
                await self._told(_BEGIN, "The ComfyUI server is at work")
        if finished is not None:
            self._judge(finished)
        return finished

    def _judge(self, finished: History) -> None:
        status = finished.status
        failure = self._failure
        if status is not None and status.status_str == "error":
            failed = [m for m in status.messages if m[0] in ("execution_error", "execution_interrupted")]
            failure = failed[-1] if failed else failure or ("execution_error", {})
        if failure is not None:
            kind, said = failure
            _log.warning("comfyui_run_failed", job=self._job.id, kind=kind, said=str(said)[:1000])
            raise not_finished(kind, said)

    async def _listen(self, socket: ClientConnection) -> bool:
        """Hear messages until one says to look, or it is time to; False when the socket is gone."""
        try:
            async with asyncio.timeout(min(self._poll, 0.1) if self._ended else self._poll):
                async for message in socket:
                    if isinstance(message, str) and await self._hear(message):
                        return True
        except TimeoutError:
            return True
        except ConnectionClosed:
            pass
        return False

    async def _hear(self, message: str) -> bool:
        """Tell what the message says; True if it is time to look."""
        try:
            event = msgspec.json.decode(message, type=_Message)
        except msgspec.DecodeError:
            return False
        data = event.data
        if event.type == "status":  # the queue moved
            return self._ended or not self._current
        if data.get("prompt_id", self._job.id) != self._job.id:
            return False
        match event.type:
            case "execution_cached":
                self._done.update(cast(list[str], data.get("nodes") or []))
            case "executing":
                await self._executing(data.get("node"))
            case "progress":
                await self._progress(data.get("node"), data.get("value"), data.get("max"))
            case "progress_state":
                nodes = cast(dict[str, dict[str, Any]], data.get("nodes") or {})
                for node, state in nodes.items():
                    if state.get("state") == "running":
                        await self._progress(node, state.get("value"), state.get("max"))
            case "execution_error" | "execution_interrupted":
                self._failure = (event.type, data)
                self._ended = True
            case "execution_success":
                self._ended = True
            case _:
                pass
        return self._ended

    async def _executing(self, node: object) -> None:
        if self._current:
            self._done.add(self._current)
        if node is None:  # how older servers say that it is over
            self._ended = True
            return
        self._current = str(node)
        await self._told(self._fraction(0.0), self._phrase())

    async def _progress(self, node: object, value: object, top: object) -> None:
        if not isinstance(value, int | float) or not isinstance(top, int | float) or top <= 0:
            return
        self._current = str(node) if node is not None else self._current
        step = f", step {value:g} of {top:g}" if top > 1 else ""
        await self._told(self._fraction(min(value / top, 1.0)), self._phrase() + step)

    def _fraction(self, of_current: float) -> float:
        weights = {
            identity: _SAMPLER if "Sampler" in node.class_type else 1.0
            for identity, node in self._nodes.items()
        }
        whole = sum(weights.values()) or 1.0
        done = sum(weights.get(node, 0.0) for node in self._done - {self._current})
        return _BEGIN + (_END - _BEGIN) * (done + weights.get(self._current, 0.0) * of_current) / whole

    def _phrase(self) -> str:
        node = self._nodes.get(self._current)
        if node is None:
            return "The ComfyUI server is at work"
        return _PHRASES.get(node.class_type) or node.meta.title or node.class_type


class _Message(msgspec.Struct):
    type: str
    data: dict[str, Any] = {}
