"""The application served over real HTTP on loopback, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx2
import uvicorn

from tests.factories import Account
from vetrina.app import create
from vetrina.core.services import Services


@dataclass
class Site:
    """Where it is, a client for anonymous calls, and the services behind it."""

    url: str
    client: httpx2.AsyncClient
    services: Services

    def api(self, account: Account) -> httpx2.AsyncClient:
        """A client that is signed in as `account` with a bearer token."""
        return httpx2.AsyncClient(base_url=self.url + "/api/v1", headers=account.headers, timeout=30)

    def browser(self, account: Account) -> httpx2.AsyncClient:
        """A client that is signed in as `account` with a cookie, as a browser is."""
        return httpx2.AsyncClient(base_url=self.url, cookies=account.cookies, timeout=30)


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to pytest


@contextlib.asynccontextmanager
async def serving(services: Services) -> AsyncIterator[Site]:
    """Serve the application on these services (opened and closed by it) until the block ends."""
    # named as TCP, or asyncio would leave Nagle's delay on: 40 ms a request
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(create(services), log_level="error", access_log=False, lifespan="on", timeout_graceful_shutdown=2)
    server = _Quiet(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("the site did not start")
        await asyncio.sleep(0.01)
    async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
        yield Site(url, client, services)
    server.should_exit = True
    await task
