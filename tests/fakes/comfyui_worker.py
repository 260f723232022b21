"""The fake ComfyUI's queue, worker and websocket messages."""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from typing import Any
from uuid import uuid4

import msgspec
import pyvips
from litestar import WebSocket

from tests.fakes.comfyui_nodes import in_order, run_node


class Entry(msgspec.Struct):
    """A queued submission."""

    number: float
    id: str
    nodes: dict[str, dict[str, Any]]
    client: str | None

    def listed(self) -> list[Any]:
        """Return it in the form of the queue and the history."""
        extra = {"client_id": self.client, "create_time": 1_790_000_000_000}
        return [self.number, self.id, self.nodes, extra, ["6"]]


class Worker:
    """The queue and its worker; the public attributes script the worker."""

    def __init__(self, *, old: bool) -> None:
        self.old = old
        self._sockets: dict[str, WebSocket[Any, Any, Any]] = {}
        self._numbers = itertools.count()
        self._worker: asyncio.Task[None] | None = None
        self.reset()

    def reset(self) -> None:
        """Reset everything; a running job is cancelled."""
        self.calls: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.socket_headers: list[dict[str, str]] = []
        self.prompts: list[dict[str, Any]] = []
        self.forms: list[dict[str, Any]] = []
        self.uploads: dict[str, bytes] = {}
        self.interrupted: list[Any] = []
        self.deleted: list[str] = []
        self.checkpoints = ["sd_xl_base_1.0.safetensors", "other.safetensors"]
        self.combo_schema = False
        self.step_seconds = 0.002
        self.refuse_socket = False
        self.drop_socket_at: int | None = None  # the sampler's step at which the socket breaks
        self.fail_at: tuple[str, str] | None = None  # node class and exception type
        self.saves_nothing = False
        self.more_images: list[Any] = []  # entries beside the saved file
        self.more_outputs: dict[str, Any] = {}  # outputs of other nodes
        self._pending: list[Entry] = []
        self._crowd: list[Entry] = []
        self._history: dict[str, dict[str, Any]] = {}
        self._saved: dict[str, bytes] = {}
        self._interrupt = True  # for what may still run; a new run begins with False
        self._running = None

    def crowd(self, others: int) -> None:
        """Queue `others` jobs of other clients first; they wait until `leave`."""
        self._crowd = [Entry(-1.0 - index, str(uuid4()), {}, "someone-else") for index in range(others)]

    def leave(self, how_many: int = 1) -> None:
        """Finish so many of the other clients' jobs."""
        del self._crowd[:how_many]

    def restart(self) -> None:
        """Clear the queue, the run and the history, as a restart does."""
        self._pending.clear()
        self._history.clear()
        self._crowd.clear()
        self._interrupt = True
        self._running = None

    def stop_running(self) -> None:
        """Interrupt the running job, as a click on Cancel at the server does."""
        self._interrupt = True

    @property
    def running(self) -> bool:
        """Return whether a job of the test runs."""
        return self._running is not None

    async def accept(self, body: dict[str, Any]) -> Entry:
        """Add a submission to the queue."""
        identity = str(uuid4()) if self.old else str(body.get("prompt_id", uuid4()))
        entry = Entry(float(next(self._numbers)), identity, body["prompt"], body.get("client_id"))
        self._pending.append(entry)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        await self._queue_moved()
        return entry

    def listed(self) -> dict[str, Any]:
        """Return the queue as the route does; pending is a heap in the real server, so without order."""
        running, waiting = self._crowd[:1], self._crowd[1:]
        if self._running is not None:
            running = [self._running]
        pending = reversed([*waiting, *self._pending])
        return {
            "queue_running": [entry.listed() for entry in running],
            "queue_pending": [entry.listed() for entry in pending],
        }

    def delete(self, gone: list[str]) -> None:
        """Remove submissions from the queue."""
        self.deleted.extend(gone)
        self._pending = [entry for entry in self._pending if entry.id not in gone]

    def interrupt(self, wanted: str | None) -> None:
        """Interrupt the running job; a server that is not old only if it is the `wanted` one."""
        self.interrupted.append(wanted)
        if self._running is not None and (self.old or wanted in (None, self._running.id)):
            self._interrupt = True

    async def greet(self, sid: str, socket: WebSocket[Any, Any, Any]) -> None:
        """Handle a connected websocket."""
        self._sockets[sid] = socket
        await self._send(sid, "status", {"status": self._counted(), "sid": sid})

    def part(self, sid: str) -> None:
        """Handle a disconnected websocket."""
        self._sockets.pop(sid, None)

    async def _work(self) -> None:
        """Run the jobs like the real server's worker thread: one at a time, lowest number first."""
        while True:
            if self._crowd or not self._pending:
                await asyncio.sleep(0.005)
                continue
            self._pending.sort(key=lambda entry: entry.number)
            entry = self._running = self._pending.pop(0)
            self._interrupt = False
            await self._queue_moved()
            messages: list[tuple[str, dict[str, Any]]] = []
            outputs, fine = await self._run(entry, messages)
            if self._running is not entry:  # restarted meanwhile
                continue
            await asyncio.sleep(0.01)  # the real server also continues after this message
            self._running = None
            word = "success" if fine else "error"
            status = {"status_str": word, "completed": fine, "messages": messages}
            self._history[entry.id] = {"prompt": entry.listed(), "outputs": outputs, "status": status}
            await self._queue_moved()
            if self.old:
                await self._send(entry.client, "executing", {"node": None, "prompt_id": entry.id})

    async def _run(self, entry: Entry, messages: list[tuple[str, dict[str, Any]]]) -> tuple[dict[str, Any], bool]:
        async def message(event: str, **data: Any) -> None:
            data = {"prompt_id": entry.id, **data, "timestamp": int(time.time() * 1000)}
            messages.append((event, data))
            await self._send(entry.client, event, data)

        results: dict[str, list[Any]] = {}
        outputs: dict[str, Any] = {}
        await message("execution_start")
        await message("execution_cached", nodes=[])
        for identity in in_order(entry.nodes):
            node = entry.nodes[identity]
            kind = node["class_type"]
            at = {"node_id": identity, "node_type": kind, "executed": list(results)}
            here = {"node": identity, "display_node": identity, "prompt_id": entry.id}
            await self._send(entry.client, "executing", here)
            if kind == "KSampler":
                await self._sample(entry, identity, node["inputs"]["steps"])
            if self._interrupt:
                await message("execution_interrupted", **at)
                return {}, False
            if self.fail_at is not None and self.fail_at[0] == kind:
                wrong: dict[str, Any] = {
                    "exception_message": "scripted",
                    "exception_type": self.fail_at[1],
                    "traceback": [],
                }
                await message("execution_error", **at, **wrong)
                return {}, False
            results[identity] = run_node(node, results, self.uploads)
            if kind == "SaveImage" and not self.saves_nothing:
                name = f"{node['inputs']['filename_prefix']}_00001_.png"
                self._saved[name] = results[identity][0]
                outputs[identity] = {"images": [{"filename": name, "subfolder": "", "type": "output"}]}
                outputs[identity]["images"] += self.more_images
                await self._send(entry.client, "executed", {**here, "output": outputs[identity]})
        if not self.old:
            await message("execution_success")
        return {**self.more_outputs, **outputs}, True

    async def _sample(self, entry: Entry, identity: str, steps: int) -> None:
        for step in range(1, steps + 1):
            await asyncio.sleep(self.step_seconds)
            if self._interrupt:
                return
            if self.drop_socket_at == step and entry.client in self._sockets:
                await self._sockets.pop(str(entry.client)).close(code=1011)
            about = {"value": step, "max": steps, "prompt_id": entry.id, "node": identity}
            if not self.old:
                state = {"value": step, "max": steps, "state": "running", "node_id": identity}
                nodes = {identity: {**state, "prompt_id": entry.id}}
                await self._send(entry.client, "progress_state", {"prompt_id": entry.id, "nodes": nodes})
            await self._send(entry.client, "progress", about)
            await self._preview(entry.client)

    async def _preview(self, client: str | None) -> None:
        socket = self._sockets.get(str(client))
        if socket is not None:
            await socket.send_bytes(struct.pack(">II", 1, 1) + _PREVIEW)

    async def _queue_moved(self) -> None:
        for sid in list(self._sockets):
            await self._send(sid, "status", {"status": self._counted()})

    def _counted(self) -> dict[str, Any]:
        left = len(self._pending) + len(self._crowd) + (self._running is not None)
        return {"exec_info": {"queue_remaining": left}}

    async def _send(self, client: str | None, event: str, data: dict[str, Any]) -> None:
        socket = self._sockets.get(str(client))
        if socket is None:
            return
        try:
            await socket.send_json({"type": event, "data": data})
        except Exception:  # the client disconnected; the real server ignores it as well
            self._sockets.pop(str(client), None)


_PREVIEW = bytes(pyvips.Image.black(16, 16).write_to_buffer(".jpg"))
