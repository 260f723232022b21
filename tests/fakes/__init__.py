"""Other people's services, imitated as real servers on loopback, each in a thread of its own.

`with OpenAIImagesFake() as fake:` serves at `fake.url` until the block ends. What a fake received
is recorded; how it answers next can be scripted. They are thread-safe enough for tests: the
server only appends to what the test reads.
"""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self

import uvicorn
from litestar import Litestar
from litestar.types import Scope

from tests.prompt import PromptServer


class Fake:
    """An ASGI application served on 127.0.0.1, at a free port unless one is given."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._started = threading.Event()
        self._server = _Announcing(
            uvicorn.Config(
                litestar(self.handlers()),
                log_level="critical",
                access_log=False,
                lifespan="on",
            ),
            self._started,
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def handlers(self) -> list[Any]:
        """Return the routes to serve."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the fake did not start")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.stop()
        self._thread.join(10)
        self._socket.close()


def litestar(handlers: list[Any]) -> Litestar:
    """Return an application that leaves the tests' logging alone and shows its own errors."""

    def show(error: BaseException, scope: Scope) -> None:
        traceback.print_exception(error)

    return Litestar(handlers, openapi_config=None, request_max_body_size=None, logging_config=None, after_exception=[show])


class _Announcing(PromptServer):
    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._announce = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce.set()


@contextmanager
def loopback_only() -> Generator[None]:
    """Fail any connection from this process to a non-loopback address within the block."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any, /) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    socket.socket.connect = guarded
    try:
        yield
    finally:
        socket.socket.connect = connect
