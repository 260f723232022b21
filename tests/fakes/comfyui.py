"""A ComfyUI server on loopback: queue, websocket, history and all, which really runs the workflow.

Routes, messages and their order follow ComfyUI's server.py and execution.py. `old=True` behaves as
servers before 2025: it chooses prompt ids itself, interrupts whatever runs, never says
`execution_success` but `executing` with node null.

    with ComfyUIFake() as fake:
        fake.crowd(2)                                 # others are in front of us
        fake.next("/prompt", broken(503))             # the next answers on a path
        engine = ComfyUI(fake.url)
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import msgspec
from litestar import Request, Response, WebSocket, get, post, websocket
from litestar.datastructures import UploadFile
from litestar.exceptions import WebSocketDisconnect
from litestar.params import FromPath
from litestar.response import Stream

from tests.fakes import Fake
from tests.fakes.comfyui_nodes import complaint
from tests.fakes.comfyui_worker import Worker

Web = Request[Any, Any, Any]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A scripted response; with `body` None the server responds as usual."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = {}
    drop: bool = False  # do the work, but break the connection within the answer


def broken(status: int = 500, **headers: str) -> Reply:
    """Return an internal error."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=b"500 Internal Server Error", headers=named)


class ComfyUIFake(Worker, Fake):
    """The server. What it received is in `calls`, `prompts`, `uploads`, `interrupted`, `deleted`."""

    def __init__(self, *, old: bool = False) -> None:
        self._replies: dict[str, deque[Reply]] = defaultdict(deque)
        Worker.__init__(self, old=old)
        Fake.__init__(self)

    def reset(self) -> None:
        """Reset everything; a running job is cancelled."""
        self._replies.clear()
        super().reset()

    def next(self, path: str, *replies: Reply) -> None:
        """Script the next responses on a path (its first segment is enough: `/history`)."""
        self._replies[path].extend(replies)

    def handlers(self) -> list[Any]:
        """Return the routes that a client needs."""

        @get("/object_info/{name:str}")
        async def object_info(request: Web, name: FromPath[str]) -> Any:
            names: Any = [self.checkpoints, {"tooltip": "The name of the checkpoint."}]
            if self.combo_schema:
                names = ["COMBO", {"options": self.checkpoints}]
            return self._answer(request, {name: {"input": {"required": {"ckpt_name": names}}, "name": name}})

        @post("/upload/image", status_code=200)
        async def upload(request: Web) -> Any:
            form = await request.form()
            image = form["image"]
            assert isinstance(image, UploadFile)
            folder = str(form.get("subfolder", ""))
            name = f"{folder}/{image.filename}" if folder else image.filename
            self.uploads[name] = await image.read()
            fields = {key: value for key, value in form.items() if key != "image"}
            self.forms.append({**fields, "filename": image.filename, "mime": image.content_type})
            return self._answer(request, {"name": image.filename, "subfolder": folder, "type": "input"})

        @post("/prompt", status_code=200)
        async def prompt(request: Web) -> Any:
            scripted = self._replies["/prompt"]
            if scripted and scripted[0].body is not None:
                return self._answer(request, None)
            body = json.loads(await request.body())
            self.prompts.append(body)
            if (refused := complaint(body["prompt"], self.checkpoints, self.uploads)) is not None:
                return Response(refused, status_code=400)
            entry = await self.accept(body)
            accepted: dict[str, Any] = {"prompt_id": entry.id, "number": entry.number, "node_errors": {}}
            return self._answer(request, accepted)

        @get("/queue")
        async def queue(request: Web) -> Any:
            return self._answer(request, self.listed())

        @post("/queue", status_code=200)
        async def change_queue(request: Web) -> Any:
            self.delete(json.loads(await request.body()).get("delete", []))
            return self._answer(request, None)

        @post("/interrupt", status_code=200)
        async def stop(request: Web) -> Any:
            body = await request.body()
            self.interrupt(json.loads(body).get("prompt_id") if body else None)
            return self._answer(request, None)

        @get("/history/{identity:str}")
        async def history(request: Web, identity: FromPath[str]) -> Any:
            response = self._history.get(identity)
            return self._answer(request, {identity: response} if response else {})

        @get("/view")
        async def view(request: Web) -> Any:
            data = self._saved.get(str(request.query_params.get("filename")))
            return self._answer(request, data) if data is not None else Response(b"", status_code=404)

        @websocket("/ws")
        async def ws(socket: WebSocket[Any, Any, Any]) -> None:
            if self.refuse_socket:
                await socket.close()
                return
            await socket.accept()
            self.socket_headers.append(dict(socket.headers))
            sid = str(socket.query_params.get("clientId") or uuid4().hex)
            await self.greet(sid, socket)
            try:
                while True:
                    await socket.receive_data(mode="text")
            except WebSocketDisconnect:
                self.part(sid)

        return [object_info, upload, prompt, queue, change_queue, stop, history, view, ws]

    def _answer(self, request: Web, body: Any) -> Any:
        path = request.scope["path"]
        self.calls.append((str(request.method), path))
        self.headers.append(dict(request.headers))
        scripted = self._replies["/" + path.split("/")[1]]
        if scripted:
            reply = scripted.popleft()
            if reply.drop:
                return Stream(_broken_off(), media_type="application/json")
            if reply.body is not None:
                return Response(reply.body, status_code=reply.status, headers=reply.headers)
        if isinstance(body, bytes):
            return Response(body, media_type="image/png")
        return Response(b"" if body is None else body)


async def _broken_off() -> AsyncIterator[bytes]:
    yield b'{"prompt'
    await asyncio.sleep(0.01)
    raise ConnectionResetError("scripted")
