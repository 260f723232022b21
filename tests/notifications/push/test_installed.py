"""The installed site: its manifest, a shared photograph, the page without a connection, live count, no serious fault of axe."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from vetrina.demo.photos import path_of
from vetrina.notifications.actions import notify


async def test_the_manifest_takes_shared_photographs(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.browser(account) as browser:
        page = (await browser.get("/notifications")).text
        address = re.search(r'rel="manifest" href="([^"]+)"', page)
        assert address is not None
        target = (await browser.get(address[1])).json()["share_target"]
        assert target["method"] == "POST" and target["enctype"] == "multipart/form-data"
        photo = ("cup.jpg", path_of("coffee").read_bytes(), "image/jpeg")
        answer = await browser.post(
            target["action"], files={target["params"]["files"][0]["name"]: photo}, headers={"Sec-Fetch-Site": "none"}
        )
        assert answer.status_code == 303 and answer.headers["location"].startswith("/posts/new?file=")
        assert (await browser.get(answer.headers["location"])).status_code == 200
        answer = await browser.post(target["action"], files={"file": ("cup.jpg", b"no picture", "image/jpeg")})
        assert answer.status_code == 303 and answer.headers["location"] == "/posts/new"


@needs_chromium
async def test_live_count_and_no_connection_in_the_browser(site: Site, make: Make) -> None:
    account, actor = await make.account(), await make.account()
    async with browsing(site.url) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/notifications")
        bell = page.locator(".bell")
        await expect(bell).to_have_accessible_name("Notifications")
        async with site.services.db.tx() as tx:
            await notify(tx, account.id, "follow", actor=actor.id)
        await expect(bell).to_have_accessible_name("1 unread notification")
        await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await page.reload()
        assert await judge(page) == []
        await page.goto("/settings/notifications")
        assert await judge(page) == []
        await page.goto("/notifications")
        await page.get_by_role("button", name="Test follows you").click()
        await expect(page).to_have_url(re.compile("/settings/followers"))
        await context.set_offline(True)
        await page.goto("/notifications")
        await expect(page.get_by_role("heading", name="No connection")).to_be_visible()
        await context.set_offline(False)
        await page.goto("/notifications")
        await expect(page.get_by_role("heading", name="Notifications", exact=True)).to_be_visible()
