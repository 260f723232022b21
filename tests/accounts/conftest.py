"""What the tests of accounts share: a site in development, whose letters can be read, and an identity provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx2
import pytest
import pytest_asyncio

from tests.accounts.identities.helpers import visitor
from tests.fakes.cognito import Cognito
from tests.fakes.oidc import HostedUi
from tests.server import Site, serving
from vetrina import worker as worker_process
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings


@pytest_asyncio.fixture
async def posting(settings: Settings, database: str) -> AsyncIterator[Site]:
    """The application in development with a worker: what it would send is in its outbox."""
    open_settings = replace(settings, development=True)
    stop = asyncio.Event()
    async with serving(connect(open_settings, database)) as site:
        task = asyncio.create_task(worker_process.work(connect(open_settings, database), stop))
        yield site
        stop.set()
        await asyncio.wait_for(task, 30)


@pytest.fixture(scope="session")
def cognito() -> Iterator[Cognito]:
    """A user pool, in a process of its own."""
    with Cognito() as result:
        yield result


@pytest.fixture
def hosted(cognito: Cognito) -> Iterator[HostedUi]:
    """The pool's pages."""
    with HostedUi(cognito) as result:
        yield result


@pytest.fixture
def at_cognito(settings: Settings, hosted: HostedUi) -> Settings:
    """Settings of a site that offers signing in with it."""
    return replace(
        settings,
        oidc_issuer=hosted.pool.issuer,
        oidc_client_id=hosted.pool.client_id,
        oidc_client_secret=hosted.pool.client_secret,
        oidc_name="Cognito",
        oidc_discovery=hosted.discovery,
    )


@pytest_asyncio.fixture
async def browser(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    """A visitor's browser."""
    async with visitor(site) as result:
        yield result
