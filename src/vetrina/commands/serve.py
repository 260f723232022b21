"""`vetrina serve`: one web process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Generator
from typing import Annotated

import uvicorn
from cyclopts import Parameter

from vetrina.app import create
from vetrina.commands.listen import listen
from vetrina.core import logs, settings
from vetrina.core.embedded import embedded
from vetrina.core.services import connect

GRACE = 10
"""Seconds that open requests get to end in after SIGTERM."""


class Server(uvicorn.Server):
    """uvicorn that ends with 0 after a graceful stop, where it would raise the signal again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """SIGTERM and SIGINT stop it; the second one at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def serve(*, fd: Annotated[int | None, Parameter(show=False)] = None) -> int:
    """Run one web process on VETRINA_HOST and VETRINA_PORT.

    It uses the database in VETRINA_DATABASE_URL as the user given there, otherwise the embedded one of a
    `vetrina up` on the same data folder. SIGTERM ends it: open requests get 10 s.

    Parameters
    ----------
    fd
        A listening socket that the parent hands down.
    """
    found = settings.read()
    logs.configure(found.log_format, "web")
    listener = listen(found.host, found.port) if fd is None else socket.socket(fileno=fd)
    services = connect(found, found.database_url or embedded(found.data).app)
    config = uvicorn.Config(
        create(services),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(found.trusted_proxies),
        forwarded_allow_ips=found.trusted_proxies or None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
    )
    server = Server(config)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: the collector need not walk it again and again
    server.run([listener])
    return 0 if server.started else 1
