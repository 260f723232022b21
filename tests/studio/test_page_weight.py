"""How many bytes a first visit transfers, without pictures, as Chromium counts them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import browsing, needs_chromium
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.core.services import Services

LIMITS = {"/": 100_000, "/sign-in": 60_000, "/sign-up": 60_000}


async def transferred(site: Site, path: str, width: int) -> tuple[int, dict[str, int]]:
    """Return the bytes of a page's first visit without pictures, and of each address."""
    sizes: dict[str, int] = {}
    kinds: dict[str, tuple[str, str]] = {}

    def received(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = (event["type"], event["response"]["url"].removeprefix(site.url))

    def finished(event: dict[str, Any]) -> None:
        kind, address = kinds.get(event["requestId"], ("Other", "?"))
        if kind != "Image":
            sizes[address] = sizes.get(address, 0) + int(event["encodedDataLength"])

    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        session.on("Network.responseReceived", received)
        session.on("Network.loadingFinished", finished)
        await session.send("Network.enable")
        await page.goto(path)
        await page.wait_for_load_state("networkidle")
        loaded = await page.evaluate(
            "document.fonts.ready.then((fonts) => [...fonts].filter((f) => f.status == 'loaded').map((f) => f.family))"
        )
        assert {"Figtree", "Bodoni Moda"} <= set(loaded), "the text is set in the fonts that were transferred"
    return sum(sizes.values()), sizes


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_first_page_is_light(site: Site, worker: Services, make: Make, width: int) -> None:
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        assert (await api.patch("/me/profile", json={"name": "سارا احمدی"})).status_code == 200
        generation = await ended(api, (await api.post("/generations", json=wish(await upload(api)))).json()["id"])
        shared = await api.post(f"/generations/{generation['id']}/sharing", json={"is_public": True})
        assert shared.status_code == 200
    assert "سارا احمدی" in (await site.client.get("/")).text
    for path, limit in LIMITS.items():
        total, sizes = await transferred(site, path, width)
        print(path, width, total)
        assert 15_000 < total < limit, sorted(sizes.items(), key=lambda item: -item[1])[:12]
        if path == "/":
            assert any("vazirmatn-common" in address for address in sizes), "the Persian name is set in its font"
        assert not any("-rest" in address for address in sizes), "a page in English and Persian needs the common letters alone"
