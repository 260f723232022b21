"""The library without scripts, by plain forms."""

from __future__ import annotations

import html
import re
from uuid import UUID

import httpx2

from tests.factories import Account, Make
from tests.media.processing import bad_files as corpus
from tests.media.storage_helpers import jobs_run, stored
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.media.files import actions, picker
from vetrina.media.model import FileRow


async def kept(
    site: Site, account: Account, *, name: str, category: str = "product_image", generation: UUID | None = None
) -> FileRow:
    prepared = await actions.prepare(site.services, account.id, corpus.photograph(400, 300))
    metadata = {"generation_id": str(generation)} if generation else None
    async with site.services.db.tx() as tx:
        return await actions.insert(tx, account.id, prepared, category, name, metadata=metadata)


def pictures(page: httpx2.Response) -> list[str]:
    """Return the image URLs of a page."""
    return [html.unescape(item) for item in re.findall(r'<img[^>]* src="(/media/[^"]+)"', page.text)]


async def test_empty_library_explains_uploads(site: Site, make: Make):
    async with site.browser(await make.account()) as browser:
        page = await browser.get("/library")
    assert page.status_code == 200
    assert "Your library is empty" in page.text
    assert 'enctype="multipart/form-data"' in page.text


async def test_library_redirects_to_sign_in(site: Site):
    for path in ("/library", "/library?tag=a", f"/library/{new_id()}", "/library/picks?role=product"):
        answer = await site.client.get(path)
        assert (answer.status_code, answer.headers["location"].startswith("/sign-in?next=%2Flibrary")) == (303, True)
    assert (await site.client.post("/library/deletion", data={"id": str(new_id())})).status_code == 303


async def test_upload_of_several_files_without_scripts(site: Site, make: Make, worker: Services, db: Database):
    async with site.browser(await make.account()) as browser:
        chosen = [("file", (name, corpus.photograph(400, 300))) for name in ("fig_bowl.jpg", "<b>&amp;.jpg")]
        sent = await browser.post("/library", files=[*chosen, ("category", (None, "model_image"))])
        assert (sent.status_code, sent.headers["location"]) == (303, "/library")
        page = await browser.get("/library")
        assert "2 pictures added" in page.text
        assert "2 pictures" in page.text
        assert 'alt="fig bowl"' in page.text
        assert "<b>&amp;.jpg" not in page.text and "&lt;b&gt;" in page.text
        displayed = pictures(page)
        assert len(displayed) == 2
        for url in displayed:
            assert (await browser.get(url)).headers["content-type"] == "image/webp"
        assert "2 pictures added" not in (await browser.get("/library")).text

        ids = re.findall(r'name="id" value="([^"]+)"', page.text)
        done = await browser.post("/library/deletion", data={"id": ids})
        assert done.headers["location"] == "/library"
        page = await browser.get("/library")
        assert "2 pictures moved to the trash" in page.text and "Your library is empty" in page.text
        undo = re.search(r'name="deleted_at" value="([^"]+)"', page.text)
        assert undo
        await browser.post("/library/restoration", data={"deleted_at": html.unescape(undo[1])})
        page = await browser.get("/library")
        assert "2 pictures restored" in page.text and len(pictures(page)) == 2

        await browser.post("/library/deletion", data={"id": ids})
        page = await browser.get("/library/trash")
        thumbnails = re.findall(r'src="(/library/trash/[^"]+/picture)"', page.text)
        assert len(thumbnails) == 2
        for url in thumbnails:
            assert (await browser.get(url)).headers["content-type"] == "image/webp"
        question = await browser.post("/library/trash/deletion", data={"id": ids})
        assert "Delete these 2 pictures for good?" in question.text and len(await stored(site.services)) == 8
        erased = await browser.post("/library/trash/deletion", data={"id": ids, "confirmed": "1"})
        assert erased.headers["location"] == "/library/trash"
        assert "The trash is empty" in (await browser.get("/library/trash")).text
    await jobs_run(db)
    assert await stored(site.services) == set()


async def test_invalid_files_are_reported_and_valid_ones_stored(site: Site, make: Make):
    async with site.browser(await make.account()) as browser:
        good, bad, worse = corpus.photograph(400, 300), corpus.text(), corpus.svg_with_script()
        chosen = [("file", item) for item in (("good.jpg", good), ("letter.jpg", bad), ("logo.svg", worse))]
        page = await browser.post("/library", files=[*chosen, ("category", (None, "product_image"))])
        assert page.status_code == 422
        assert "letter.jpg" in page.text and "This is not an image." in page.text
        assert "logo.svg" in page.text and "SVG files are not taken." in page.text
        assert len(pictures(page)) == 1 and "good.jpg" in page.text
        none = await browser.post("/library", files=[("file", ("", b"")), ("category", (None, "product_image"))])
        assert none.status_code == 422 and "Choose one or more pictures first." in none.text


async def test_grid_filters_and_paging(site: Site, make: Make):
    account = await make.account()
    rows = [await kept(site, account, name=f"n{n}.jpg") for n in range(38)]
    rows.append(await kept(site, account, name="scene.jpg", category="model_image"))
    async with site.browser(account) as browser:
        first = await browser.get("/library")
        assert len(pictures(first)) == 36
        older = re.search(r'href="(/library\?cursor=[^"]+)"', first.text)
        assert older
        second = await browser.get(html.unescape(older[1]))
        assert len(pictures(second)) == 3
        assert f"/library/{rows[0].id}" in second.text
        assert len(pictures(await browser.get("/library", params={"category": "model_image"}))) == 1
        assert len(pictures(await browser.get("/library", params={"q": "SCENE"}))) == 1
        assert "No results" in (await browser.get("/library", params={"tag": "winter"})).text

        picks = await browser.get("/library/picks", params={"role": "product"})
        assert len(pictures(picks)) == 24
        older = re.search(r'hx-get="(/library/picks\?[^"]+)"', picks.text)
        assert older
        assert len(pictures(await browser.get(html.unescape(older[1])))) == 14
        assert (await browser.get("/library/picks", params={"role": "result"})).status_code == 422

    async with site.services.db.read() as tx:
        chosen = [rows[1].id, rows[38].id, new_id()]  # an old one, one of another category, and another account's
        context = await picker.picker_context(site.services, tx, account.id, "product", chosen=chosen)
        ids = [item["id"] for item in context["files"]]
        assert ids == [rows[1].id, *(row.id for row in reversed(rows[14:38]))]
        assert f"chosen={rows[1].id}" in context["older"]


async def test_tags_are_saved_or_reported(site: Site, make: Make):
    account, stranger = await make.account(), await make.account()
    generation = new_id()
    row = await kept(site, account, name="Ocean.jpg", category="generated_image", generation=generation)
    path = f"/library/{row.id}"
    async with site.browser(account) as browser:
        page = await browser.get(path)
        assert f'href="/studio/generations/{generation}"' in page.text
        assert f'href="/studio?product={row.id}"' in page.text, "a result can be the next input"
        assert (await browser.get(pictures(page)[0])).status_code == 200
        download = re.search(r'href="(/media/[^"]+)" download', page.text)
        assert download
        saved = await browser.get(html.unescape(download[1]))
        assert saved.headers["content-disposition"].startswith('attachment; filename="Ocean.jpg"')

        assert (await browser.post(path, data={"tags": "sea, blue,, sea", "is_public": "on"})).status_code == 303
        page = await browser.get(path)
        assert 'value="sea, blue"' in page.text and 'name="is_public" checked' in page.text
        assert (await site.client.get(pictures(page)[0])).status_code == 200
        assert "?" not in pictures(page)[0]
        wrong = await browser.post(path, data={"tags": "x" * 41})
        assert wrong.status_code == 422
        assert "A tag needs 1 to 40 characters" in wrong.text and "x" * 41 in wrong.text
        assert (await browser.post(path, data={})).status_code == 303
        assert 'name="is_public" checked' not in (await browser.get(path)).text
    async with site.browser(stranger) as browser:
        assert (await browser.get(path)).status_code == 404
        assert (await browser.post(path, data={"is_public": "on"})).status_code == 404
        await browser.post("/library/deletion", data={"id": str(row.id)})
        assert len(pictures(await browser.get("/library"))) == 0
    async with site.browser(account) as browser:
        assert (await browser.get(path)).status_code == 200


async def test_product_image_links_to_the_studio(site: Site, make: Make):
    account = await make.account()
    row = await kept(site, account, name="cup.jpg")
    async with site.browser(account) as browser:
        assert f'href="/studio?product={row.id}"' in (await browser.get(f"/library/{row.id}")).text
