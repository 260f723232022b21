"""Pages of albums: making one without scripts, changes with undo, the public pages, the ZIP."""

from __future__ import annotations

import io
import json
import re
import zipfile
from xml.etree import ElementTree

from tests.factories import Make
from tests.gallery.helpers import upload
from tests.media.albums.helpers import album, business, counts, rows
from tests.server import Site
from vetrina.media.albums.archive import names

ATOM = "{http://www.w3.org/2005/Atom}"


async def test_an_album_is_created_and_changed_without_scripts(site: Site, make: Make) -> None:
    owner = await business(make, site)
    a, b, c = await rows(site.services.db, owner, 3)
    async with site.browser(owner) as browser, site.api(owner) as api:
        assert "No albums yet" in (await browser.get("/albums")).text
        refused = await browser.post("/albums", data={"name": " "})
        assert refused.status_code == 422 and "needs 1 to 120 characters" in refused.text
        created = await browser.post("/albums", data={"name": "Bowls & cups"})
        path = created.headers["location"].removesuffix("/choices")
        assert (await browser.get(f"{path}/choices")).text.count('name="id"') == 3
        await browser.post(f"{path}/files", data={"id": [a, b, c]})
        page = (await browser.get(path)).text
        assert "Bowls &amp; cups" in page and [m for m in re.findall(r'data-file="([^"]+)"', page)] == [a, b, c]
        later = re.search(rf'action="{path}/files/{a}/place"><input type="hidden" name="before" value="([^"]*)"', page)
        assert later and later[1] == c, "later: before the one after the next"
        await browser.post(f"{path}/files/{a}/place", data={"before": c})
        order = [item["id"] for item in (await api.get(f"{path}/files")).json()["items"]]
        assert order == [b, a, c]
        removed = (await browser.post(f"{path}/changes", data={"id": [a], "act": "remove"})).text
        assert [item["id"] for item in (await api.get(f"{path}/files")).json()["items"]] == [b, c]
        fields = dict(re.findall(r'name="(id|position)" value="([^"]+)"', removed))
        await browser.post(f"{path}/files", data=fields)
        assert [item["id"] for item in (await api.get(f"{path}/files")).json()["items"]] == [b, a, c], "where it was"
        await browser.post(f"{path}/changes", data={"id": [a, b], "act": "tag", "tags": "Blue, Clay"})
        assert (await api.get(f"/files/{b}")).json()["tags"] == ["Blue", "Clay"]
        await browser.post(f"{path}/changes", data={"id": [c], "act": "cover"})
        assert (await api.get(path)).json()["cover_file_id"] == c
        await browser.post(path, data={"name": "Bowls", "is_public": "on", "with_pictures": "on"})
        assert (await api.get(f"/files/{a}")).json()["is_public"] is True
        assert "Undo" in (await browser.post(f"{path}/deletion")).text
        assert (await browser.get(path)).status_code == 404
        await browser.post(f"{path}/restoration")
        assert (await browser.get(path)).status_code == 200
        assert await counts(site.services.db, path.rpartition("/")[2]) == (3, 3)


async def test_the_public_pages_describe_the_album(site: Site, make: Make) -> None:
    owner = await business(make, site, handle="potter")
    files = await rows(site.services.db, owner, 2, is_public=True)
    private = await rows(site.services.db, owner, 1)
    bowls = await album(site, owner, [*files, *private], is_public=True, description="Thrown <by hand>")
    await album(site, owner, files, name="Hidden")
    listed = (await site.client.get("/@potter/albums")).text
    assert 'href="/@potter/albums/bowls"' in listed and "Hidden" not in listed
    page = (await site.client.get("/@potter/albums/bowls")).text
    assert all(file in page for file in files) and private[0] not in page and "Thrown &lt;by hand&gt;" in page
    structured = re.search(r'<script type="application/ld\+json">(.+?)</script>', page, re.DOTALL)
    assert structured
    facts = json.loads(structured[1])
    assert facts["@type"] == "ImageGallery" and len(facts["image"]) == 2 and facts["url"] == bowls["url"]
    assert 'property="og:title" content="Bowls"' in page
    feed = await site.client.get("/@potter/albums.atom")
    root = ElementTree.fromstring(feed.text)
    entries = [str(item.findtext(f"{ATOM}title")) for item in root.findall(f"{ATOM}entry")]
    assert entries == ["Bowls"] and feed.headers["content-type"].startswith("application/atom+xml")
    assert root.find(f"{ATOM}entry/{ATOM}link").attrib["href"] == bowls["url"]  # pyright: ignore[reportOptionalMemberAccess]
    assert (await site.client.get("/@potter/albums/hidden")).status_code == 404


async def test_an_album_is_downloaded_as_a_zip(site: Site, make: Make) -> None:
    owner, stranger = await business(make, site), await make.account()
    files = [await upload(site, owner, name, "album_image") for name in ("coffee", "cat")]
    bowls = await album(site, owner, list(reversed(files)))
    async with site.browser(owner) as browser, site.browser(stranger) as other, site.api(owner) as api:
        assert (await other.get(f"/albums/{bowls['id']}/album.zip")).status_code == 404
        answer = await browser.get(f"/albums/{bowls['id']}/album.zip")
        assert answer.status_code == 200 and int(answer.headers["content-length"]) == len(answer.content)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["01 cat.jpg", "02 coffee.jpg"]
            original = await site.client.get((await api.get(f"/files/{files[0]}")).json()["url"])
            assert archive.read("02 coffee.jpg") == original.content
    assert names([]) == []
