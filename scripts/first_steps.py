"""Take the screenshots of `docs/first-steps.md` from a running development site: `python -m scripts.first_steps URL`.

The site is one that `make run ARGS=--with-fakes` starts. The same run is a test, `tests/scenarios/test_first_steps.py`.
"""

from __future__ import annotations

import asyncio
import io
import logging
import secrets
import sys
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright

from tests.browser import CHROMIUM
from tests.scenarios.newcomer import Walk, run
from vetrina.demo.photos import path_of

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "newcomer"
PHOTOS = [path_of(name) for name in ("drum", "brushes", "dogs", "room", "stream")]
SIZES = {"wide": (1280, 800), "phone": (360, 740)}
log = logging.getLogger("first_steps")


async def shoot_at(page: Page, size: str, name: str) -> None:
    """Save what the page shows as docs/images/newcomer/SIZE-NAME.webp."""
    await page.wait_for_load_state("networkidle")
    with Image.open(io.BytesIO(await page.screenshot())) as image:
        image.save(TARGET / f"{size}-{name}.webp", quality=72, method=6)


async def walk_at(url: str, size: str) -> Walk:
    """Go the newcomer's way at one size of window, with a screenshot of each step."""
    width, height = SIZES[size]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(base_url=url, viewport={"width": width, "height": height}, reduced_motion="reduce")
        email = f"nour-{secrets.token_hex(3)}@example.com"
        walk = await run(context, PHOTOS, email, lambda page, name: shoot_at(page, size, name))
        await browser.close()
    return walk


def main() -> None:
    """Go the way at both sizes, and print how long each step took."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    TARGET.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        walk = asyncio.run(walk_at(sys.argv[1], size))
        steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in walk.seconds.items())
        log.info("%s: %.1f s (%s)", size, walk.total, steps)


if __name__ == "__main__":
    main()
