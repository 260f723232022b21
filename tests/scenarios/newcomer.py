"""A newcomer's first minutes: from the front page with five photographs to five pictures, one shared, one pack bought.

`run` presses what a person sees, by its words; nothing goes by an address. `tests/scenarios/test_first_steps.py` runs it with
small photographs, `scripts/first_steps.py` takes the screenshots of `docs/first-steps.md` with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import BrowserContext, Page, expect

PASSWORD = "five photographs and a box"
CARD = "4242 4242 4242 4242"
"""A card that the imitated Stripe takes."""
READY_MS = 120_000
"""Milliseconds that five pictures may take."""

Shoot = Callable[[Page, str], Awaitable[None]]


async def _no_picture(page: Page, name: str) -> None:
    """Take no screenshot."""


@dataclass
class Walk:
    """What happened: seconds by step, and the address of what was shared."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    shared: str = ""

    @property
    def total(self) -> float:
        """Return the seconds of all steps."""
        return sum(self.seconds.values())


async def run(context: BrowserContext, photographs: Sequence[Path], email: str, shoot: Shoot = _no_picture) -> Walk:
    """Go all the way; `shoot(page, name)` is called once in each step. Raises AssertionError where the way ends."""
    walk, page = Walk(), await context.new_page()
    await page.goto("/")
    for step in (_sign_up, _confirm, _choose, _generate, _share, _buy):
        started = time.monotonic()
        await step(page, photographs, email, shoot, walk)
        walk.seconds[step.__name__.strip("_")] = time.monotonic() - started
    return walk


async def _sign_up(page: Page, _photographs: Sequence[Path], email: str, shoot: Shoot, _walk: Walk) -> None:
    await shoot(page, "landing")
    await page.get_by_role("link", name="Make your first picture").click()
    await page.get_by_label("Name").fill("Nour")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await shoot(page, "sign-up")
    await page.get_by_role("button", name="Sign up").click()


async def _confirm(page: Page, _photographs: Sequence[Path], email: str, shoot: Shoot, _walk: Walk) -> None:
    """Confirm the address with the code of the letter; on a development site the page links to it."""
    await expect(page.get_by_role("heading", name="Confirm your address")).to_be_visible()
    await page.get_by_role("link", name="outbox").first.click()
    letter = page.get_by_role("main")
    await expect(letter).to_contain_text(email)
    code = re.search(r"\b\d{6}\b", await letter.inner_text())
    assert code, "the letter has a code"
    await page.go_back()
    await shoot(page, "code")
    await page.get_by_label("Code").fill(code[0])  # the sixth digit sends it
    await expect(page.get_by_role("heading", name="Studio", level=1)).to_be_visible()


async def _choose(page: Page, photographs: Sequence[Path], _email: str, shoot: Shoot, _walk: Walk) -> None:
    """Read the tour's first note, skip it, add the photographs, and say that each becomes a picture."""
    await shoot(page, "studio")
    await page.get_by_role("button", name="Skip the tour").click()
    await page.get_by_label("Model or scene").and_(page.locator("input[type=file]")).set_input_files(photographs)
    await expect(page.locator("[data-slot=model] [data-chosen] li")).to_have_count(len(photographs), timeout=60_000)
    await page.get_by_role("button", name="One of each picture").click()
    await expect(page.locator("[data-line=cost]")).to_have_text(str(len(photographs)))
    await shoot(page, "photographs")


async def _generate(page: Page, photographs: Sequence[Path], _email: str, shoot: Shoot, _walk: Walk) -> None:
    count = len(photographs)
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_role("status").filter(has_text=f"{count} of {count} done")).to_be_visible(timeout=READY_MS)
    await expect(page.get_by_role("main").get_by_role("link").filter(has=page.locator("img"))).to_have_count(count)
    await shoot(page, "pictures")


async def _share(page: Page, _photographs: Sequence[Path], _email: str, shoot: Shoot, walk: Walk) -> None:
    """Publish one picture, and open its link as a stranger does."""
    await page.get_by_role("main").get_by_role("link").filter(has=page.locator("img")).first.click()
    await page.get_by_role("button", name="Publish", exact=True).click()
    walk.shared = await page.get_by_label("Link to share").input_value()
    await expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    await shoot(page, "share")
    browser = page.context.browser
    assert browser is not None
    stranger = await browser.new_context(viewport=page.viewport_size)
    visit = await stranger.new_page()
    answer = await visit.goto(walk.shared)
    assert answer is not None and answer.status == 200, walk.shared
    await expect(visit.get_by_text("by Nour")).to_be_visible()
    await shoot(visit, "shared")
    await stranger.close()


async def _buy(page: Page, _photographs: Sequence[Path], _email: str, shoot: Shoot, _walk: Walk) -> None:
    """Buy a pack by card, and come back to the studio."""
    await page.locator("a.balance").click()
    had = int(await page.locator("a.balance").inner_text())
    await page.get_by_role("main").get_by_role("link", name="Buy tokens").first.click()
    await page.get_by_role("radio", name="Sketchbook").check()
    await shoot(page, "buy")
    await page.get_by_role("button", name="Continue to checkout").click()
    await page.get_by_label("Card number").fill(CARD)
    await page.get_by_role("button", name="Pay").click()
    await expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=30_000)
    await expect(page.locator("a.balance")).to_have_text(str(had + 50))
    await shoot(page, "paid")
    await page.get_by_role("link", name="Studio").first.click()
    await expect(page.get_by_role("heading", name="Studio", level=1)).to_be_visible()
