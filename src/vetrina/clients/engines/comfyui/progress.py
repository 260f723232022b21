"""Following a run to its end: by the server's websocket while it lasts, else by polling.

The socket only reports how far the run is and when to poll; whether it is over, and how it ended, is
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
from vetrina.clients.engines.comfyui.errors import run_error
from vetrina.clients.engines.comfyui.server import History, Job, Server
from vetrina.clients.engines.comfyui.workflow import Node
from vetrina.clients.engines.http import MEGABYTE, MonotonicProgress
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
async def open_socket(
    base_url: str, job: Job, headers: Mapping[str, str], timeout: float
) -> AsyncGenerator[ClientConnection | None]:
    """Open the websocket on which the server reports the job; yield None when it cannot be opened."""
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


class RunFollower:
    """One run of `nodes`. `poll` are the seconds between polls, whether or not the socket reports anything."""

    def __init__(
        self, server: Server, job: Job, nodes: dict[str, Node], report: MonotonicProgress, *, poll: float, sleep: Sleep
    ) -> None:
        self._server = server
        self._job = job
        self._nodes = nodes
        self._report = report
        self._interval = poll
        self._sleep = sleep
        self._done: set[str] = set()
        self._current = ""
        self._ended = False  # as the socket reports; the history may follow a moment later
        self._failure: tuple[str, dict[str, Any]] | None = None

    async def wait(self, socket: ClientConnection | None) -> History:
        """Return the finished run. Raises EngineRefused or EngineUnavailable for one that failed or vanished."""
        while True:
            run = await self._poll()
            if run is not None:
                return run
            if socket is None:
                await self._sleep(self._interval)
            elif not await self._receive(socket):
                _log.warning("comfyui_socket_lost", job=self._job.id)
                socket = None

    async def _poll(self) -> History | None:
        run = await self._server.history(self._job)
        if run is None:
            position = await self._server.position(self._job)
            if position is None:
                # It may have ended between the two requests; otherwise the server lost it.
                run = await self._server.history(self._job)
                if run is None:
                    raise EngineUnavailable("The ComfyUI server no longer knows this picture.")
            elif position.ahead:
                others = "one other" if position.ahead == 1 else f"{position.ahead} others"
                await self._report(0.08, f"Waiting in the queue behind {others}")
            elif not self._current:
                await self._report(_BEGIN, "The ComfyUI server is at work")
        if run is not None:
            self._raise_if_failed(run)
        return run

    def _raise_if_failed(self, run: History) -> None:
        status = run.status
        failure = self._failure
        if status is not None and status.status_str == "error":
            failure = status.failure() or failure or ("execution_error", {})
        if failure is not None:
            kind, message = failure
            _log.warning("comfyui_run_failed", job=self._job.id, kind=kind, message=str(message)[:1000])
            raise run_error(kind, message)

    async def _receive(self, socket: ClientConnection) -> bool:
        """Handle messages until it is time to poll; return False when the socket is gone."""
        try:
            async with asyncio.timeout(min(self._interval, 0.1) if self._ended else self._interval):
                async for message in socket:
                    if isinstance(message, str) and await self._handle(message):
                        return True
        except TimeoutError:
            return True
        except ConnectionClosed:
            pass
        return False

    async def _handle(self, message: str) -> bool:  # noqa: C901  # a branch for each type of message
        """Report what the message says; return whether it is time to poll."""
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
        if node is None:  # older servers: the run is over
            self._ended = True
            return
        self._current = str(node)
        await self._report(self._fraction(0.0), self._phrase())

    async def _progress(self, node: object, value: object, top: object) -> None:
        if not isinstance(value, int | float) or not isinstance(top, int | float) or top <= 0:
            return
        self._current = str(node) if node is not None else self._current
        step = f", step {value:g} of {top:g}" if top > 1 else ""
        await self._report(self._fraction(min(value / top, 1.0)), self._phrase() + step)

    def _fraction(self, of_current: float) -> float:
        weights = {identity: _SAMPLER if "Sampler" in node.class_type else 1.0 for identity, node in self._nodes.items()}
        total = sum(weights.values()) or 1.0
        done = sum(weights.get(node, 0.0) for node in self._done - {self._current})
        return _BEGIN + (_END - _BEGIN) * (done + weights.get(self._current, 0.0) * of_current) / total

    def _phrase(self) -> str:
        node = self._nodes.get(self._current)
        if node is None:
            return "The ComfyUI server is at work"
        return _PHRASES.get(node.class_type) or node.meta.title or node.class_type


class _Message(msgspec.Struct):
    type: str
    data: dict[str, Any] = {}
