"""The newcomer's run with small photographs, at both widths: a step that breaks on the way fails here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from tests.browser import browsing, needs_chromium
from tests.fakes.stripe import StripeFake
from tests.payments.stripe_helpers import selling
from tests.scenarios.newcomer import run
from tests.server import Site
from vetrina import worker as worker_process
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings
from vetrina.demo.photos import path_of

pytestmark = needs_chromium

PHOTOS = ("drum", "brushes", "dogs", "room", "stream")


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    """Five small photographs."""
    paths: list[Path] = []
    for name in PHOTOS:
        with Image.open(path_of(name)) as image:
            image.thumbnail((360, 360))
            image.save(path := tmp_path / f"{name}.jpg")
        paths.append(path)
    return paths


@pytest_asyncio.fixture
async def shop(settings: Settings, database: str) -> AsyncIterator[Site]:
    """A development site that sells through an imitated Stripe, with a worker."""
    settings = replace(settings, development=True)
    services, stop = connect(settings, database), asyncio.Event()
    task = asyncio.create_task(worker_process.work(services, stop))
    with StripeFake() as stripe:
        async with selling(settings, database, stripe) as site:
            yield site
    stop.set()
    await asyncio.wait_for(task, 30)


@pytest.mark.parametrize("width", [360, 1280])
async def test_newcomer_gets_five_pictures_shares_one_and_buys_a_pack(shop: Site, photographs: list[Path], width: int) -> None:
    async with browsing(shop.url, viewport={"width": width, "height": 800}) as context:
        walk = await run(context, photographs, f"nour{width}@example.com")
    assert walk.total < 180, walk.seconds
    assert walk.shared.startswith(f"{shop.url}/pictures/")
