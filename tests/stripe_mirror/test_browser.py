"""The operator's page in a browser: axe-core in both themes and at 360 px, and linking a customer by hand."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Account, Make
from tests.server import Site, serving
from tests.stripe_mirror.helpers import ingest, with_stripe
from vetrina.accounts.roles import actions as roles
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings
from vetrina.stripe_mirror.consistency import sample_data as sample

pytestmark = needs_chromium

NOW = int(time.time())


@pytest_asyncio.fixture
async def site_with_mirror(settings: Settings, database: str) -> AsyncIterator[Site]:
    """Start a site whose mirror has data."""
    async with serving(connect(with_stripe(settings), database)) as site:
        db = site.services.db
        for n in range(4):
            objects = {**sample.customer(n, NOW - 600), "email": "shared.browser@example.com" if n < 2 else f"b{n}@example.com"}
            await ingest(db, [sample.event("customer.created", objects, NOW - 60 * n, n)])
        states = [sample.subscription(1, NOW, status=status) for status in ("active", "past_due")]
        await ingest(db, [sample.event("customer.subscription.updated", state, NOW - 9, state["status"]) for state in states])
        async with db.tx() as tx:
            await tx.connection.execute("update stripe_mirror.unsettled set attempts = 2, last_error = 'Stripe refuses "
                                        "/v1/subscriptions: Expired API Key provided: sk_test_****************abcd'")  # fmt: skip
        yield site


async def operator(site: Site) -> Account:
    """Create an operator."""
    result = await Make(site.services).account()
    async with site.services.db.tx() as tx:
        await roles.grant(tx, result.id, roles.Role.ADMIN)
    return result


@pytest.mark.parametrize("look", ["light", "dark narrow"])
async def test_page_passes_axe(site_with_mirror: Site, look: str) -> None:
    make = Make(site_with_mirror.services)
    await make.account(email="shared.browser@example.com", kind="user" if look == "light" else "vendor")
    dark, width = "dark" in look, 360 if "narrow" in look else 1280
    async with browsing(
        site_with_mirror.url, color_scheme="dark" if dark else "light", viewport={"width": width, "height": 900}
    ) as context:
        await sign_in(context, site_with_mirror.url, await operator(site_with_mirror))
        page = await context.new_page()
        await page.goto("/operator/stripe")
        assert await judge(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        if shots := os.environ.get("VETRINA_SHOTS"):
            await page.screenshot(path=Path(shots) / f"stripe-{look.replace(' ', '-')}.png", full_page=True)


async def test_operator_links_a_customer(site_with_mirror: Site) -> None:
    account = await Make(site_with_mirror.services).account(email="by.hand@example.com")
    async with browsing(site_with_mirror.url, viewport={"width": 1280, "height": 900}) as context:
        await sign_in(context, site_with_mirror.url, await operator(site_with_mirror))
        page = await context.new_page()
        await page.goto("/operator")
        await page.get_by_role("main").get_by_role("link", name="Stripe Status of").click()
        await page.get_by_label("Account", exact=True).fill(account.email)
        await page.get_by_label("Customer", exact=True).fill("cus_nobody")
        await page.get_by_role("button", name="Link", exact=True).last.click()
        await expect(page.get_by_text("The mirror has no customer with this id.")).to_be_visible()
        await page.get_by_label("Customer", exact=True).fill("cus_sample0000000003")
        await page.get_by_role("button", name="Link", exact=True).last.click()
        await expect(page.get_by_text("cus_sample0000000003 is linked.")).to_be_visible()
        await page.get_by_role("button", name="Remove the link of cus_sample0000000003").click()
        await expect(page.get_by_text("Link removed.")).to_be_visible()
