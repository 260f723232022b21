"""`vetrina serve`: one web process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import select
import signal
import socket
from collections.abc import Generator, Sequence
from typing import Annotated, Any, cast

import uvicorn
from cyclopts import Parameter

from vetrina.app import create
from vetrina.commands.sockets import listen
from vetrina.core.command_line import logs
from vetrina.core.database.pubsub import Hub
from vetrina.core.database.timeouts import WEB
from vetrina.core.embedded import embedded
from vetrina.core.services import connect
from vetrina.core.settings import environment as settings
from vetrina.core.web.http.protocol import Limits, protocol
from vetrina.core.web.middleware.proxies import ClientAddress

GRACE = 10
"""Seconds for open requests to finish after SIGTERM."""


class Server(uvicorn.Server):
    """uvicorn on its own listening socket, which also accepts from its siblings' sockets.

    Connections that wait on a sibling's socket longer than a tick (0.1 s) are accepted here: the sibling was killed and is
    being replaced, or is busy. Exits with 0 after a graceful stop, where uvicorn would raise the signal again.
    """

    def __init__(self, config: uvicorn.Config, hub: Hub, siblings: Sequence[socket.socket] = ()) -> None:
        super().__init__(config)
        self._hub = hub
        self._siblings = siblings
        self._waiting: set[int] = set()

    async def on_tick(self, counter: int) -> bool:
        """Run every 0.1 s."""
        if self._siblings:
            waiting = set(select.select(self._siblings, [], [], 0)[0])
            await asyncio.gather(*(self._relieve(item) for item in waiting if item.fileno() in self._waiting))
            self._waiting = {item.fileno() for item in waiting}
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, for siblings too, and let open requests finish; event streams would not end by themselves."""
        for sibling in self._siblings:
            sibling.close()
        self._hub.end()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop on SIGTERM and SIGINT; on the second one at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def _relieve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # nothing left to accept
            while True:
                accepted, _ = listener.accept()
                accepted.setblocking(False)
                await loop.connect_accepted_socket(self._protocol, accepted)

    def _protocol(self) -> asyncio.Protocol:
        make = cast(Any, self.config.http_protocol_class)
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def serve(*, fd: Annotated[list[int] | None, Parameter(show=False)] = None) -> int:
    """Run one web process on VETRINA_HOST and VETRINA_PORT.

    It connects to the database in VETRINA_DATABASE_URL as the user given there, otherwise to the embedded one of a `vetrina up`
    on the same data folder. SIGTERM stops it: open requests get 10 s.

    Args:
        fd: File descriptors of listening sockets from the parent: this process's own, then its siblings'.
    """
    settings_ = settings.read()
    logs.configure(settings_.log_format, "web")
    own, *siblings = [socket.socket(fileno=item) for item in fd] if fd else listen(settings_.host, settings_.port)
    services = connect(settings_, settings_.database_url or embedded(settings_.data).app, WEB)
    trusted = tuple(name.strip() for name in settings_.trusted_proxies.split(",") if name.strip())
    limits = Limits(connections=settings_.connections_per_address, uncounted=Limits().uncounted + trusted)
    config = uvicorn.Config(
        ClientAddress(create(services), settings_.trusted_proxies),
        loop="uvloop",
        http=protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # ClientAddress reads them
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
    )
    server = Server(config, services.hub, siblings)
    gc.collect()
    gc.freeze()  # objects loaded so far stay: the garbage collector need not scan them again and again
    server.run([own])
    return 0 if server.started else 1
