"""Profiles, domains and identity providers in a real browser: the way through Cognito, the editor, and axe-core."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.accounts.identities.helpers import person
from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.fakes.cognito import PASSWORD
from tests.fakes.oidc import HostedUi
from tests.server import Site
from tests.studio.helpers import upload
from vetrina.accounts.profiles import actions as profiles
from vetrina.core.settings.environment import Settings
from vetrina.demo.photos import path_of

pytestmark = needs_chromium
SHOTS = os.environ.get("VETRINA_SHOTS")


@pytest.fixture
def settings(at_cognito: Settings) -> Settings:
    """A site with a provider."""
    return at_cognito


async def test_in_through_cognito_and_a_second_identity_linked(site: Site, hosted: HostedUi) -> None:
    """Over real redirects between two sites, under the Content-Security-Policy that the pages have."""
    site.services.settings = replace(site.services.settings, public_url=site.url)
    ada, other = person(hosted), person(hosted)
    async with browsing(site.url) as context:
        page = await context.new_page()

        async def at_cognito(user: str) -> None:
            await page.get_by_label("User").fill(user)
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in").click()

        await page.goto("/sign-in?way=provider&next=/settings/identities")
        await page.get_by_role("link", name="Continue with Cognito").click()
        await at_cognito(ada)
        await expect(page.locator(".entries").get_by_text(f"{ada}@example.com")).to_be_visible()
        await page.get_by_role("button", name="Link Cognito", exact=True).click()
        await at_cognito(other)
        await expect(page.get_by_text("Linked. You can sign in with it from now on.")).to_be_visible()
        await expect(page.get_by_role("button", name="Unlink")).to_have_count(2)


async def test_a_profile_is_written_and_looked_at(site: Site, make: Make) -> None:
    account = await make.account()
    async with browsing(site.url) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/settings/profile")
        await page.get_by_label("Handle").fill("Settings")
        await page.get_by_role("button", name="Save").first.click()
        await expect(page.get_by_label("Handle")).to_be_focused()
        await expect(page.get_by_text("This handle is reserved")).to_be_visible()
        await page.get_by_label("Handle").fill("ada")
        await page.get_by_label("Name", exact=True).fill("Ada Lovelace")
        await page.get_by_role("button", name="Save").first.click()
        await page.get_by_label("A new picture").first.set_input_files(path_of("dandelion"))
        await page.get_by_role("button", name="Use picture").first.click()
        await expect(page.get_by_alt_text("The picture in use")).to_be_visible()
        await page.get_by_role("link", name="/@ada").click()
        await expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
        portrait = page.locator(".profile img.portrait")
        assert await portrait.evaluate("async (image) => (await image.decode(), image.naturalWidth)") > 100


@pytest.mark.parametrize("look", ["light", "dark narrow"])
async def test_every_screen_before_axe(site: Site, make: Make, look: str) -> None:
    account, shop = await make.account(), await make.account(kind="vendor")
    dark, width = "dark" in look, 360 if "narrow" in look else 1280
    business = {
        "business_name": "Ada's Prints",
        "bio": "Linocuts and letterpress, in small editions.",
        "profile_info": {"tagline": "Pulled by hand", "location": "Delft", "website": "https://prints.example"},
        "contact_info": {"email": "hello@prints.example", "phone": "+31152123456", "address": "Oude Delft 1"},
        "social_links": {"mastodon": "https://social.example/@ada"},
    }
    async with site.api(account) as api, site.api(shop) as other:
        pictures = [await upload(api, photo=name) for name in ("coffee", "dandelion", "fig_bowl", "room")]
        for picture in pictures[:3]:
            await api.patch(f"/files/{picture}", json={"is_public": True})
        body = {"handle": "ada", "name": "Ada Lovelace", "bio": "Draws engines.", "avatar": pictures[1], "logo": pictures[0]}
        assert (await api.patch("/me/profile", json={**body, "business": business})).status_code == 200
        own = {**business, "business_name": "The Print Shop"}
        answer = await other.patch("/me/profile", json={"handle": "print-shop", "business": own})
        assert answer.status_code == 200, answer.text
        for domain in ("shop.example", "prints.example", "b\u00fccher.example"):
            await api.post("/domains", json={"domain": domain})
    async with site.services.db.tx() as tx:
        await profiles.verify_vendor(tx, account.id)
        await profiles.verify_vendor(tx, shop.id)
        await tx.connection.execute(
            "update accounts.domain_verifications set status = 'verified', verified_at = now() where domain = 'prints.example'"
        )
        await tx.connection.execute("update accounts.domain_verifications set status = 'lost' where domain like 'xn--%'")
        await tx.connection.execute(
            """insert into accounts.identities (issuer, subject, account_id, id, provider, email)
               values ('https://id.example', 'ada', %s, core.new_id(), 'cognito', 'ada@example.com')""",
            [account.id],
        )
    options = {"color_scheme": "dark" if dark else "light", "viewport": {"width": width, "height": 900}}
    async with browsing(site.url, **options) as context:
        page = await context.new_page()
        await sign_in(context, site.url, account)
        result: dict[str, list[str]] = {}
        paths = ["/@ada", "/@print-shop", "/settings/profile", "/settings/domains", "/settings/identities"]
        for path in [*paths, "/auth/providers/cognito/callback"]:
            await page.goto(path)
            result[path] = await judge(page)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} px wide"
            if SHOTS:
                name = f"{path.strip('/').replace('/', '_')}-{look.replace(' ', '-')}.png"
                await page.screenshot(path=Path(SHOTS) / name, full_page=True)
    assert {path: faults for path, faults in result.items() if faults} == {}
