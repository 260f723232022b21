"""The wall, the feed, profiles and feeds for other programs."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.factories import Account, Make
from tests.gallery.helpers import address, upload, written
from tests.server import Site

ATOM = "{http://www.w3.org/2005/Atom}"


async def named(site: Site, account: Account, handle: str) -> None:
    """Give the account a handle."""
    async with site.api(account) as client:
        answer = await client.patch("/me/profile", json={"handle": handle})
        assert answer.status_code == 200, answer.text


async def ids(site: Site, query: str) -> list[str]:
    """Return the posts of the wall."""
    answer = await site.client.get(f"/api/v1/wall{query}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_wall_by_order_tag_and_words(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    await named(site, artist, "painter")
    file = await upload(site, artist)
    old = await written(site, artist, file=file, title="A blue cup", body="#cup")
    new = await written(site, artist, file=file, title="گلدان آبی", body="Blue #vase")
    await written(site, artist, file=file, visibility="link")
    await written(site, artist, file=file, visibility="followers")
    async with site.api(fan) as client:
        await client.put(f"{address(old)}/like")
    assert await ids(site, "") == [new["id"], old["id"]]
    assert await ids(site, "?order=liked") == [old["id"]]
    assert await ids(site, "?tag=vase") == [new["id"]]
    assert await ids(site, "?q=blue cup") == [old["id"]]
    assert await ids(site, "?q=گلدان") == [new["id"]]
    assert await ids(site, "?q=@painter") == [new["id"], old["id"]]
    page = await site.client.get("/explore?q=nothing")
    assert page.status_code == 200 and "No posts found" in page.text


async def test_wall_pages_hold_every_post_once(site: Site, make: Make) -> None:
    artist = await make.account()
    file = await upload(site, artist)
    posts = [(await written(site, artist, file=file))["id"] for _ in range(5)]
    seen: list[str] = []
    query = "?limit=2"
    while query:
        page = (await site.client.get(f"/api/v1/wall{query}")).json()
        seen += [item["id"] for item in page["items"]]
        query = f"?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert seen == posts[::-1]


async def test_feed_and_the_line_of_new_posts(site: Site, make: Make) -> None:
    artist, other, fan = await make.account(), await make.account(), await make.account()
    await named(site, artist, "painter")
    file = await upload(site, artist)
    first = await written(site, artist, file=file, visibility="followers", title="For followers")
    await written(site, other, title="Of another")
    async with site.browser(fan) as browser, site.api(fan) as client:
        assert "Your feed is empty" in (await browser.get("/feed")).text
        await client.put(f"/following/{artist.id}")
        page = (await browser.get("/feed")).text
        assert "For followers" in page and "Of another" not in page
        line = page.split('hx-get="')[1].split('"')[0]
        assert "new post" not in (await browser.get(line)).text
        await written(site, artist, file=file)
        assert "1 new post" in (await browser.get(line)).text
        assert [row["id"] for row in (await client.get("/feed")).json()["items"]][1] == first["id"]


async def test_profile_tabs(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    await named(site, artist, "painter")
    await written(site, artist, title="Shown")
    async with site.api(fan) as client, site.browser(fan) as browser:
        await client.put(f"/following/{artist.id}")
        page = await browser.get("/@painter/posts")
        assert "Shown" in page.text and "1 follower" in page.text and "Unfollow" in page.text
        assert (await browser.get("/@painter/followers")).status_code == 200
        assert 'href="/@painter/posts"' in (await browser.get("/@painter")).text
        async with site.api(artist) as own:
            await own.put(f"/blocks/{fan.id}")
        assert (await browser.get("/@painter/posts")).status_code == 404


async def test_start_page_shows_posts(site: Site, make: Make) -> None:
    artist = await make.account()
    post = await written(site, artist, title="On the start page")
    page = await site.client.get("/")
    assert page.status_code == 200 and "On the start page" in page.text and address(post) in page.text


async def test_shared_link_embeds_and_sitemap(site: Site, make: Make) -> None:
    artist = await make.account()
    post = await written(site, artist, title='"Tea" & co')
    page = (await site.client.get(address(post))).text
    assert 'property="og:image"' in page and "&#34;Tea&#34; &amp; co" in page
    embed = (await site.client.get("/oembed", params={"url": f"https://example.org{address(post)}"})).json()
    assert embed["type"] == "photo" and embed["title"] == '"Tea" & co'
    index = (await site.client.get("/sitemap.xml")).text
    listed = index.split("/sitemaps/posts/")[1].split("<")[0]
    assert address(post) in (await site.client.get(f"/sitemaps/posts/{listed}")).text


@pytest.mark.parametrize("at", ["", "/@painter"])
async def test_feeds_for_readers(site: Site, make: Make, at: str) -> None:
    artist = await make.account()
    await named(site, artist, "painter")
    post = await written(site, artist, title="<Tea> & co", body="A #cup")
    await written(site, artist, file=post["images"][0]["file"]["id"], visibility="followers", title="Secret")
    atom = await site.client.get(f"{at}/feed.atom")
    assert [entry.text for entry in ElementTree.fromstring(atom.text).iter(f"{ATOM}title")][1:] == ["<Tea> & co"]
    items = (await site.client.get(f"{at}/feed.json")).json()["items"]
    assert [item["title"] for item in items] == ["<Tea> & co"] and items[0]["tags"] == ["cup"]
    assert items[0]["url"].endswith(address(post))
