"""Pages of conversations: without scripts by forms, with them live; by keyboard, in both themes and directions."""

from __future__ import annotations

import re

import pytest

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Account, Make
from tests.gallery.helpers import upload, written
from tests.messaging.helpers import befriended, read, send, started
from tests.server import Site
from vetrina.demo.photos import path_of

FORM = {"Sec-Fetch-Site": "same-origin"}


async def named(site: Site, account: Account, handle: str) -> None:
    """Give an account a handle."""
    async with site.api(account) as client:
        assert (await client.patch("/me/profile", json={"handle": handle})).status_code == 200


async def test_a_conversation_without_scripts(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await named(site, leo, "leo")
    async with site.browser(ada) as browser, site.browser(leo) as other:
        profile = await browser.get("/@leo/posts")
        (href,) = re.findall(r'href="(/conversations/with/[^"]+)"', profile.text)
        form = await browser.get(href)
        assert "Message to Test" in form.text
        body = {"account": str(leo.id), "body": "Hello <b>Leo</b> https://example.com/a", "key": "k"}
        for _ in range(2):
            sent = await browser.post("/conversations", data=body, headers=FORM)
            assert sent.status_code == 303
        path = sent.headers["location"]
        page = await other.get(path)
        assert page.text.count("Hello &lt;b&gt;") == 1, "posted twice with one key, it is one message"
        assert 'href="https://example.com/a"' in page.text and "Accept" in page.text
        assert "(1)" in (await other.get("/conversations")).text
        assert (await other.post(f"{path}/acceptance", data={}, headers=FORM)).status_code == 303
        file = await upload(site, leo)
        files = {"file": ("coffee.jpg", path_of("coffee").read_bytes(), "image/jpeg")}
        answer = await other.post(f"{path}/messages", data={"body": "Hi", "image": file}, files=files, headers=FORM)
        assert answer.status_code == 303
        page = await browser.get(path)
        assert page.text.count(f"{path}/messages/2/images/") == 4 and "Hi" in page.text
        for act, end in (("mute", path), ("hide", "/conversations"), ("unhide", path), ("delete", "/conversations")):
            done = await browser.post(f"{path}/place/{act}", data={}, headers=FORM)
            assert (done.status_code, done.headers["location"]) == (303, end)
        assert "Hello" not in (await browser.get(path)).text
        long = await browser.post(f"{path}/messages", data={"body": "x" * 4001}, headers=FORM)
        assert long.status_code == 422 and "x" * 4001 in long.text
        edited = await other.post(f"{path}/messages/2/edit", data={"body": "Hi there"}, headers=FORM)
        assert edited.status_code == 303 and "Hi there" in (await other.get(path)).text
        assert (await other.post(f"{path}/messages/2/deletion", data={}, headers=FORM)).status_code == 303
        assert "Message deleted" in (await other.get(path)).text


async def test_a_group_by_handles_and_about_a_post(site: Site, make: Make) -> None:
    ada, leo, sara = [await make.account() for _ in range(3)]
    await befriended(site, ada, leo, sara)
    await named(site, leo, "leo")
    await named(site, sara, "sara")
    post = await written(site, leo, title="A cup")
    async with site.browser(ada) as browser:
        wrong = await browser.post("/conversations", data={"to": "@leo, @nobody_at_all", "body": "Hello"}, headers=FORM)
        assert wrong.status_code == 422 and "@leo, @nobody_at_all" in wrong.text
        group = await browser.post("/conversations", data={"to": "@leo, @sara", "title": "Two", "body": "Hello"}, headers=FORM)
        assert group.status_code == 303 and "Two" in (await browser.get("/conversations")).text
        page = await browser.get(f"/posts/{post['account_id']}/{post['id']}")
        (href,) = re.findall(r'href="(/conversations/with/[^"]+)"', page.text)
        assert "A cup" in (await browser.get(href)).text
        about = f"post:{post['account_id']}/{post['id']}"
        sent = await browser.post(
            "/conversations", data={"account": str(leo.id), "about": about, "body": "For sale?"}, headers=FORM
        )
        assert "A cup" in (await browser.get(sent.headers["location"])).text
    async with site.browser(sara) as browser:
        assert (await browser.get(sent.headers["location"])).status_code == 404
        results = await browser.get("/conversations", params={"q": "hello"})
        assert "1 message" in results.text


async def test_the_header_counts_unread_conversations(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path)
    async with site.browser(leo) as browser:
        assert re.search(r"data-unread>1<", (await browser.get("/account")).text)
        await browser.get(path)
        assert re.search(r"data-unread data-none>0<", (await browser.get("/account")).text)
    assert (await read(site, ada, path))["people"][0]["read_position"] == 1


@needs_chromium
async def test_two_people_in_browsers(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path, "Hello Leo")
    async with browsing(site.url) as one, browsing(site.url) as two:
        await sign_in(one, site.url, ada)
        await sign_in(two, site.url, leo)
        own, other = await one.new_page(), await two.new_page()
        await own.goto(site.url + path)
        await other.goto(site.url + "/account")
        await other.wait_for_selector("[data-unread]:not([data-none])")
        await other.goto(site.url + path)
        await own.wait_for_function("document.querySelector('[data-seen]').textContent === 'Seen'")
        await other.locator("#body").fill("Hello Ada")
        await other.locator("#body").press("Enter")
        await own.wait_for_selector("text=Hello Ada")
        await other.wait_for_selector(".message-own >> text=Hello Ada")
        await own.locator("#body").fill("And again")
        await own.keyboard.press("Tab")
        await own.keyboard.press("Tab")
        await own.keyboard.press("Enter")
        await other.wait_for_selector("text=And again")
        await own.wait_for_selector(".message-own >> text=And again")
        assert await other.locator(".message").count() == 3, "each message once"
        assert await own.locator(".message").count() == 3


@needs_chromium
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pages_are_accessible(site: Site, make: Make, theme: str, language: str) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path, "Hello")
    await send(site, leo, path, "", file_ids=[await upload(site, leo)])
    async with browsing(site.url) as context:
        await sign_in(context, site.url, ada)
        await context.add_cookies(
            [{"name": name, "value": value, "url": site.url} for name, value in (("theme", theme), ("language", language))]
        )
        page = await context.new_page()
        for address in (path, "/conversations", "/conversations/new"):
            answer = await page.goto(site.url + address)
            assert answer is not None and answer.status == 200
            assert await judge(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
