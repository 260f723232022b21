"""The remote engines through the whole pipe: offered when set up, charged at their price, refusals told in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.factories import Make
from tests.fakes.comfyui import ComfyUIFake
from tests.fakes.openai_images import OpenAIImagesFake, moderated
from tests.server import Site, serving
from tests.studio.helpers import ended, upload
from vetrina import worker as worker_process
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings
from vetrina.prepare import prepare


@pytest.fixture(scope="module")
def openai_fake() -> Iterator[OpenAIImagesFake]:
    with OpenAIImagesFake() as fake:
        yield fake


@pytest.fixture(scope="module")
def comfyui_fake() -> Iterator[ComfyUIFake]:
    with ComfyUIFake() as fake:
        yield fake


@asynccontextmanager
async def at_work(settings: Settings, database: str, owner: str) -> AsyncIterator[Site]:
    """A site and a worker with these settings."""
    await prepare(settings, owner)
    stop = asyncio.Event()
    task = asyncio.create_task(worker_process.work(connect(settings, database), stop))
    try:
        async with serving(connect(settings, database)) as site:
            yield site
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def test_an_openai_compatible_endpoint_paints(
    settings: Settings, database: str, owner: str, make: Make, openai_fake: OpenAIImagesFake
) -> None:
    settings = replace(settings, openai_api_key="sk-test", openai_base_url=openai_fake.base_url)
    account = await make.account(tokens=20)
    async with at_work(settings, database, owner) as site, site.api(account) as api:
        styles = {item["name"]: item for item in (await api.get("/styles")).json()["items"]}
        assert styles["openai_own_words"]["cost"] == 8
        page = await site.browser(account).get("/studio")
        assert "Painted by an AI model" in page.text and "Made on this server" in page.text
        response = await api.post("/generations", json={"style_name": "openai_own_words", "prompt": "a red cup"})
        assert response.status_code == 201, response.text
        done = await ended(api, response.json()["id"])
        assert done["status"] == "completed" and len(done["result_files"]) == 1, done
        assert await make.balance(account) == (12, 0)

        openai_fake.next(moderated())
        response = await api.post("/generations", json={"style_name": "openai_own_words", "prompt": "something"})
        done = await ended(api, response.json()["id"])
        assert done["status"] == "failed" and done["error_code"] == "engine-refused", done
        assert done["error_message"] and "{" not in done["error_message"]
        assert await make.balance(account) == (12, 0)
    await make.books()


async def test_comfyui_paints_from_a_photograph(
    settings: Settings, database: str, owner: str, make: Make, comfyui_fake: ComfyUIFake
) -> None:
    account = await make.account(tokens=20)
    async with at_work(replace(settings, comfyui_url=comfyui_fake.url), database, owner) as site, site.api(account) as api:
        styles = [item for item in (await api.get("/styles")).json()["items"] if item["engine"] == "comfyui"]
        chosen = next(style for style in styles if style["needs_picture"] and not style["needs_model"])
        wish = {"style_name": chosen["name"], "prompt": "a cup", "product_files": [await upload(api)]}
        response = await api.post("/generations", json=wish)
        assert response.status_code == 201, response.text
        done = await ended(api, response.json()["id"])
        assert done["status"] == "completed" and len(done["result_files"]) >= 1, done["error_message"]
        assert await make.balance(account) == (20 - chosen["cost"], 0)
    await make.books()


async def test_an_engine_that_is_not_set_up_is_not_offered(
    settings: Settings, database: str, owner: str, make: Make, openai_fake: OpenAIImagesFake
) -> None:
    """Styles that were once there stay for the history, and cannot be chosen."""
    await prepare(replace(settings, openai_api_key="sk-test", openai_base_url=openai_fake.base_url), owner)
    await prepare(settings, owner)
    account = await make.account(tokens=20)
    async with serving(connect(settings, database)) as site, site.api(account) as api:
        assert all(item["engine"] in {"builtin", "cutting", "neural"} for item in (await api.get("/styles")).json()["items"])
        refused = await api.post("/generations", json={"style_name": "openai_own_words", "prompt": "a red cup"})
        assert refused.status_code == 422 and refused.json()["type"] == "urn:vetrina:unknown-style"
