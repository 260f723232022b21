"""A site in development, whose letters can be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio

from tests.site import Site, serving
from vetrina import worker as worker_process
from vetrina.core.services import connect
from vetrina.core.settings import Settings


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
