"""Posts: drafts, publishing, visibility, editing, deletion."""

from __future__ import annotations

from tests.factories import Make
from tests.gallery.helpers import address, upload, written
from tests.server import Site
from vetrina.gallery.posts.actions import tags_of
from vetrina.gallery.posts.text import rich_text


async def test_a_draft_is_private_until_publication(site: Site, make: Make) -> None:
    artist, other = await make.account(), await make.account()
    post = await written(site, artist, publish=False, title="A cup", body="From my #Kitchen. #kitchen #cups")
    assert post["status"] == "draft" and post["tags"] == ["kitchen", "cups"]
    async with site.api(artist) as own, site.api(other) as reader:
        assert (await own.get(address(post))).status_code == 200
        assert (await reader.get(address(post))).status_code == 404
        assert (await own.post(f"/posts/{post['id']}/publication")).json()["status"] == "published"
        answer_post = (await reader.get(address(post))).json()
        assert answer_post["title"] == "A cup" and answer_post["images"][0]["alt"] == "A cup"
        picture = await site.client.get(answer_post["images"][0]["file"]["thumbnail_url"])
        assert picture.status_code == 200, "the pictures of a public post need no signature"


async def test_a_post_takes_its_pictures_off_the_wall(site: Site, make: Make) -> None:
    artist = await make.account()
    post = await written(site, artist)
    file_url = post["images"][0]["file"]["thumbnail_url"]
    async with site.api(artist) as own:
        assert (await own.delete(f"/posts/{post['id']}/publication")).status_code == 204
        assert (await site.client.get(f"/api/v1{address(post)}")).status_code == 404
        assert (await site.client.get(file_url)).status_code in {403, 404}
        await own.post(f"/posts/{post['id']}/publication")
        assert (await site.client.get(file_url)).status_code == 200


async def test_pictures_keep_their_order_and_are_the_accounts_own(site: Site, make: Make) -> None:
    artist, other = await make.account(), await make.account()
    first, second, foreign = await upload(site, artist), await upload(site, artist, "cat"), await upload(site, other)
    async with site.api(artist) as own:
        post = (await own.post("/posts", json={"images": [{"file_id": second}, {"file_id": first}]})).json()
        assert [image["file"]["id"] for image in post["images"]] == [second, first]
        refused = await own.patch(f"/posts/{post['id']}", json={"images": [{"file_id": foreign}]})
        assert refused.status_code == 422 and refused.json()["type"] == "urn:vetrina:unknown-picture"
        twice = await own.post("/posts", json={"images": [{"file_id": first}, {"file_id": first}]})
        assert twice.json()["type"] == "urn:vetrina:picture-twice"
        assert (await own.get(address(post))).json()["images"] == post["images"]
        empty = await own.patch(f"/posts/{post['id']}", json={"images": []})
        assert empty.status_code == 200
        assert (await own.post(f"/posts/{post['id']}/publication")).json()["type"] == "urn:vetrina:post-without-pictures"


async def test_a_deleted_post_is_restored_unchanged(site: Site, make: Make) -> None:
    artist, other = await make.account(), await make.account()
    post = await written(site, artist)
    async with site.api(artist) as own, site.api(other) as reader:
        await reader.put(f"{address(post)}/like")
        assert (await reader.delete(f"/posts/{post['id']}")).status_code == 404
        assert (await own.delete(f"/posts/{post['id']}")).status_code == 204
        assert (await own.get(address(post))).status_code == 404
        restored = (await own.post(f"/posts/{post['id']}/restoration")).json()
        assert restored["status"] == "published" and restored["like_count"] == 1
        assert (await reader.get(address(post))).status_code == 200


async def test_a_removed_picture_leaves_its_post(site: Site, make: Make) -> None:
    artist = await make.account()
    post = await written(site, artist)
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            "insert into media.takedowns (account_id, file_id, reason, was_public) values (%s, %s, 'spam', true)",
            (artist.id, post["images"][0]["file"]["id"]),
        )
    assert (await site.client.get(f"/api/v1{address(post)}")).json()["images"] == []


async def test_the_composer_works_without_scripts(site: Site, make: Make) -> None:
    artist = await make.account()
    first, second = await upload(site, artist), await upload(site, artist, "cat")
    form = {"image": [first, second], f"order_{first}": "2", f"order_{second}": "1", f"alt_{second}": "A cat", "title": "Two"}
    photo = ("drum.jpg", (await site.client.get("/static/none")).content, "image/jpeg")
    async with site.browser(artist) as browser:
        page = await browser.get("/posts/new")
        assert first in page.text and second in page.text
        files = {"file": ("", b"", "application/octet-stream")}
        saved = await browser.post("/posts", data=form, files=files, headers={"Sec-Fetch-Site": "same-origin"})
        assert saved.status_code == 303, saved.text
        edit = await browser.get(saved.headers["location"])
        assert edit.text.index(second) < edit.text.index(first) and "A cat" in edit.text
        refused = await browser.post(
            "/posts", data=form | {"title": "T" * 121}, files=files, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert refused.status_code == 422 and "T" * 121 in refused.text, "what was typed is lost"
        damaged = await browser.post("/posts", data=form, files={"file": photo}, headers={"Sec-Fetch-Site": "same-origin"})
        assert damaged.status_code in {415, 422} and "A cat" in damaged.text


def test_tags_and_links_of_a_text() -> None:
    assert tags_of("#One two#three #one #گلدان a/#x") == ["one", "گلدان"]
    html = str(rich_text('<b> see https://example.org/a?b=1&c=2. #Cat "x"'))
    assert "&lt;b&gt;" in html and 'href="https://example.org/a?b=1&amp;c=2"' in html and 'href="/explore?tag=cat"' in html
