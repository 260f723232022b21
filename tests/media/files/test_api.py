"""The files API over HTTP: accepted and refused uploads, visibility, deletion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
import pyvips

from tests.factories import Account, Make
from tests.media.processing import bad_files as corpus
from tests.media.storage_helpers import jobs_run, stored
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services

STATUS = {
    "empty": 422,
    "not_an_image": 415,
    "format_not_taken": 415,
    "animated": 415,
    "too_many_pixels": 422,
    "too_long": 422,
    "too_small": 422,
    "damaged": 422,
    "too_many_bytes": 413,
}


async def send(
    api: httpx2.AsyncClient, data: bytes, *, category: str | None = "product_image", name: str = "cup.jpg"
) -> httpx2.Response:
    form = {} if category is None else {"category": category}
    return await api.post("/files", files={"file": (name, data, "image/jpeg")}, data=form)


async def sent(api: httpx2.AsyncClient, data: bytes | None = None, **options: Any) -> dict[str, Any]:
    answer = await send(api, data or corpus.photograph(400, 300), **options)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def rows(db: Database) -> tuple[int, int]:
    """Count the files, and their usage records."""
    async with db.read() as tx:
        cursor = await tx.connection.execute(
            "select (select count(*) from media.files)::int, (select count(*) from core.usage where action like 'file%')::int"
        )
        result = await cursor.fetchone()
    assert result is not None
    return result


async def test_upload_show_change_and_delete(site: Site, db: Database, make: Make, worker: Services):
    account = await make.account()
    async with site.api(account) as api:
        file = await sent(api, corpus.photograph(1600, 1200), name="C:\\photos\\fig bowl.jpeg")
        assert (file["category"], file["mime"], file["width"], file["height"]) == ("product_image", "image/jpeg", 1600, 1200)
        assert (file["file_name"], file["tags"], file["is_public"]) == ("fig bowl.jpeg", [], False)
        assert {size: (item["width"], item["height"]) for size, item in file["thumbnails"].items()} == {
            "320": (320, 240),
            "640": (640, 480),
            "1280": (1280, 960),
        }

        listed = (await api.get("/files")).json()
        assert [item["id"] for item in listed["items"]] == [file["id"]]
        assert listed["next_cursor"] is None
        assert (await api.get(f"/files/{file['id']}")).json() == file
        usage = (await api.get("/files/usage")).json()
        assert (usage["files"], usage["bytes"]) == (1, file["bytes"]) and usage["storage"]["used_bytes"] > file["bytes"]

        whole = await site.client.get(file["url"])
        assert (whole.status_code, whole.headers["content-type"]) == (200, "image/jpeg")
        assert len(whole.content) == file["bytes"] == int(whole.headers["content-length"])
        small = await site.client.get(file["thumbnails"]["320"]["url"])
        assert small.headers["content-type"] == "image/webp"
        assert pyvips.Image.new_from_buffer(small.content, "").width == 320

        change = {"tags": [" blue ", "Blue", "sea side"], "file_name": "bowl.jpg"}
        changed = (await api.patch(f"/files/{file['id']}", json=change)).json()
        assert (changed["tags"], changed["file_name"], changed["is_public"]) == (["blue", "sea side"], "bowl.jpg", False)

        assert (await api.delete(f"/files/{file['id']}")).status_code == 204
        assert (await api.delete(f"/files/{file['id']}")).status_code == 404
        assert (await api.get(f"/files/{file['id']}")).status_code == 404
        assert (await site.client.get(file["url"])).status_code == 404
        assert (await api.delete(f"/files/trash/{file['id']}")).status_code == 204
        await jobs_run(db)
        assert await stored(site.services) == set()

        usage = (await api.get("/usage")).json()["items"]
        assert [item["action"] for item in usage] == ["file_erased", "file_deleted", "file_changed", "file_uploaded"]
        assert usage[0]["metadata"] == {"file_id": file["id"], "category": "product_image", "bytes": file["bytes"]}


@pytest.mark.parametrize(("make_bytes", "code"), corpus.REFUSED.items(), ids=lambda item: getattr(item, "__name__", item))
async def test_rejected_upload_stores_no_bytes_or_rows(
    site: Site, db: Database, make: Make, make_bytes: Callable[[], bytes], code: str
):
    account = await make.account()
    async with site.api(account) as api:
        answer = await send(api, make_bytes())
    assert answer.status_code == STATUS[code]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["field"] == "file"
    assert problem["detail"].endswith(".")
    assert await rows(db) == (0, 0)
    assert await stored(site.services) == set()


async def test_incomplete_form_is_refused_with_its_field(site: Site, db: Database, make: Make):
    account = await make.account()
    data = corpus.photograph(400, 300)
    async with site.api(account) as api:
        for category in (None, "generated_image", "holiday", ""):
            answer = await send(api, data, category=category)
            assert (answer.status_code, answer.json()["field"]) == (422, "category"), category
        for missing in (
            await api.post("/files", data={"category": "product_image"}),
            await api.post("/files", files={"file": (None, data), "category": (None, "product_image")}, headers={}),
            await api.post("/files", files=[("file", ("a.jpg", data)), ("file", ("b.jpg", data)), ("category", (None, "x"))]),
            await api.post("/files", files={"picture": ("a.jpg", data)}, data={"category": "product_image"}),
            await api.post("/files", json={"category": "product_image"}),
            await api.post("/files"),
        ):
            assert missing.status_code in (400, 422), missing.text
            assert missing.headers["content-type"] == "application/problem+json"
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        for body in (b"nonsense", b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nabc', b"--x--"):
            assert (await api.post("/files", content=body, headers=kind)).status_code in (400, 422)
        no_boundary = await api.post("/files", content=b"--x--", headers={"Content-Type": "multipart/form-data"})
        assert no_boundary.status_code in (400, 422)
    assert await rows(db) == (0, 0)
    assert await stored(site.services) == set()


async def test_upload_and_list_require_sign_in(site: Site, db: Database):
    anonymous = httpx2.AsyncClient(base_url=site.url + "/api/v1")
    async with anonymous:
        assert (await send(anonymous, corpus.photograph(400, 300))).status_code == 401
        assert (await anonymous.get("/files")).status_code == 401
        assert (await anonymous.delete(f"/files/{new_id()}")).status_code == 401
    assert await rows(db) == (0, 0)


async def test_cookie_uploads_but_not_from_another_site(site: Site, make: Make):
    account = await make.account()
    async with site.browser(account) as browser:
        form: dict[str, Any] = {"files": {"file": ("cup.jpg", corpus.photograph(400, 300))}, "data": {"category": "model_image"}}
        ours = await browser.post("/api/v1/files", **form, headers={"Sec-Fetch-Site": "same-origin"})
        response = await browser.post("/api/v1/files", **form, headers={"Sec-Fetch-Site": "cross-site"})
    assert (ours.status_code, response.status_code) == (201, 403)


async def test_files_of_other_accounts_are_not_found(site: Site, make: Make):
    owner, stranger = await make.account(), await make.account()
    async with site.api(owner) as api:
        file = await sent(api)
    async with site.api(stranger) as api:
        path = f"/files/{file['id']}"
        answers = [await api.get(path), await api.patch(path, json={"is_public": True}), await api.delete(path)]
        assert [item.status_code for item in answers] == [404] * 3
        assert (await api.get("/files")).json()["items"] == []
    async with site.api(owner) as api:
        assert (await api.get(path)).json()["is_public"] is False


async def test_invalid_change_changes_nothing(site: Site, make: Make):
    account = await make.account()
    async with site.api(account) as api:
        file = await sent(api)
        path = f"/files/{file['id']}"
        for change in (
            {"tags": ["a,b"]},
            {"tags": [" "]},
            {"tags": ["x" * 41]},
            {"tags": [str(n) for n in range(31)]},
            {"tags": None},
            {"tags": "blue"},
            {"file_name": ""},
            {"file_name": "\u202e"},
            {"file_name": "x" * 256},
            {"is_public": "yes"},
            {"category": "model_image"},
            {"storage_key": "elsewhere"},
        ):
            answer = await api.patch(path, json=change)
            assert answer.status_code == 422, (change, answer.text)
        assert (await api.patch(path, content=b"{", headers={"Content-Type": "application/json"})).status_code == 400
        assert (await api.get(path)).json() == file


async def test_paging_and_filters(site: Site, make: Make):
    account = await make.account()
    async with site.api(account) as api:
        created = [await sent(api, category=("product_image", "model_image")[n % 2], name=f"Picture_{n}.jpg") for n in range(5)]
        ids = [item["id"] for item in reversed(created)]
        await api.patch(f"/files/{created[0]['id']}", json={"tags": ["Autumn", "50%_off"]})

        async def walked(**filters: str) -> list[str]:
            result: list[str] = []
            cursor: str | None = None
            while True:
                more = {"cursor": cursor} if cursor else {}
                page = (await api.get("/files", params={"limit": 2, **filters, **more})).json()
                assert len(page["items"]) <= 2
                result += [item["id"] for item in page["items"]]
                cursor = page["next_cursor"]
                if cursor is None:
                    return result

        assert await walked() == ids
        assert await walked(category="model_image") == [created[3]["id"], created[1]["id"]]
        assert await walked(tag="Autumn") == await walked(q="autu") == await walked(q="%_o") == [created[0]["id"]]
        assert await walked(q="picture_3") == [created[3]["id"]]
        assert await walked(q="%") == [created[0]["id"]]
        assert await walked(tag="winter") == []
        for bad in ({"cursor": "nonsense!"}, {"limit": 0}, {"limit": 101}, {"category": "holiday"}, {"q": "x" * 101}):
            assert (await api.get("/files", params=bad)).status_code == 422, bad


async def test_oversized_body_is_refused_before_it_is_read(site: Site, make: Make, db: Database):
    account: Account = await make.account()
    async with site.api(account) as api:

        async def endless() -> AsyncIterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
            for _ in range(40):
                yield bytes(1 << 20)

        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        try:
            answer = await api.post("/files", content=endless(), headers=kind)
            assert answer.status_code == 413
            assert "25 MB" in answer.json()["detail"]
        except httpx2.TransportError:  # the server had responded and closed the connection
            pass
    assert await rows(db) == (0, 0)
