"""The application served over real HTTP on loopback, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import httpx2
import uvicorn

from tests.factories import Account
from tests.prompt import PromptServer
from vetrina.app import Application
from vetrina.core.services import Services
from vetrina.core.web.http.protocol import Protocol
from vetrina.core.web.middleware.proxies import ClientAddress
from vetrina.modules import loaded


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


_idle: dict[tuple[bool, tuple[str, ...]], list[Application]] = {}
"""Applications that no test uses at the moment, by what of the settings they are made from."""


@contextlib.contextmanager
def application(services: Services) -> Iterator[Application]:
    """An application on these services, for this block alone; made once for each kind of settings, not for each test."""
    kind = (services.settings.secure, tuple(loaded(services.settings)))
    idle = _idle.setdefault(kind, [])
    result = idle.pop() if idle else Application(services.settings)
    result.use(services)
    yield result
    idle.append(result)  # not after a failure: nobody knows what state that one is in


@contextlib.asynccontextmanager
async def serving(services: Services) -> AsyncIterator[Site]:
    """Serve the application on these services (opened and closed by it) until the block ends."""
    # named as TCP, or asyncio would leave Nagle's delay on: 40 ms a request
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    if not services.settings.public_url:
        services.settings = replace(services.settings, port=listener.getsockname()[1])  # absolute addresses lead here
    with application(services) as app:
        inside = ClientAddress(app, services.settings.trusted_proxies)
        # As `vetrina serve` does: the application alone decides which headers it trusts.
        config = uvicorn.Config(
            inside, http=Protocol, ws="none", log_level="error", access_log=False, lifespan="on", proxy_headers=False
        )
        server = PromptServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the site did not start")
            await asyncio.sleep(0.001)
        async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
            yield Site(url, client, services)
        server.stop()
        await task
