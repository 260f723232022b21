"""A picture in the trash is in no place, and one that is restored is in every place again."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Awaitable, Callable

from tests.factories import Make
from tests.gallery.helpers import address, written
from tests.messaging.helpers import befriended, send, started
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.core.services import Services

Look = Callable[[], Awaitable[str]]


async def test_a_deleted_picture_leaves_every_place_until_its_restoration(site: Site, worker: Services, make: Make) -> None:
    owner, friend, operator = await make.account(tokens=3), await make.account(), await make.account()
    await befriended(site, owner, friend)
    async with site.api(owner) as api, site.api(friend) as reader, site.browser(owner) as browser, site.api(operator) as staff:
        generation = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        file = (await ended(api, generation))["result_files"][0]
        identity = file["id"]
        post = await written(site, owner, file=identity)
        profile = await api.patch("/me/profile", json={"handle": "maker", "avatar": identity})
        assert profile.status_code == 200, profile.text
        talk = await started(site, owner, friend)
        message = await send(site, owner, talk, file_ids=[identity])
        draft = {"style_name": "oil", "product_files": [identity]}
        assert (await api.put("/studio/draft", json=draft)).status_code == 200
        signed = (await api.get(f"/generations/{generation}")).json()["result_files"][0]["url"]

        def text(client: object, path: str) -> Look:
            async def look() -> str:
                answer = await client.get(path)  # type: ignore[attr-defined]
                return answer.text if answer.status_code == 200 else f"{answer.status_code}"

            return look

        def query(sql: str) -> Look:
            async def look() -> str:
                async with site.services.db.read() as tx:
                    return str(await (await tx.connection.execute(sql.encode())).fetchall())

            return look

        places: dict[str, tuple[Look, str]] = {
            **{f"api {path}": (text(api, path), identity) for path in (
                "/files", f"/files/{identity}", f"/generations/{generation}", "/generations", "/studio/draft",
                "/me/profile", f"{talk}/messages")},
            **{f"friend {path}": (text(reader, path), identity) for path in (
                f"{talk}/messages", f"{address(post)}", "/wall", "/profiles/maker", "/profiles/maker/pictures",
                f"/accounts/{owner.id}/posts")},
            **{f"page {path}": (text(browser, path), identity) for path in (
                "/library", f"/library/{identity}", "/studio/generations", f"/studio/generations/{generation}", "/studio",
                "/library/picks?role=product", "/posts", "/@maker", f"/posts/{post['id']}/edit", f"{talk}")},
            **{f"public {path}": (text(site.client, path), identity) for path in (
                "/explore", "/@maker", "/@maker/posts", "/feed.atom", "/feed.json", "/@maker/feed.atom", "/@maker/feed.json",
                f"/oembed?url=http://test{address(post)}", address(post), f"/pictures/{owner.id}/{generation}", "/",
                "/pictures")},
            "staff": (text(staff, "/operator/public-pictures?state=public"), identity),
            "doc files": (query("select * from doc_style_studio.files"), identity),
            "doc images": (query("select file_id, url from doc_gallery.posts_imgs"), identity),
        }  # fmt: skip
        links = [signed, f"/media/{owner.id}/{identity}/original", f"/media/{owner.id}/{identity}/card.jpg"]
        links += [f"{talk}/messages/{message['position']}/images/1/320"]

        present = {place for place, (look, word) in places.items() if word in await look()}
        served = [link for link in links if (await browser.get(link)).status_code == 200]
        missing = places.keys() - present
        assert len(present) >= 20 and len(served) >= 3, f"never shown: {missing}, served: {served}"

        assert (await api.delete(f"/files/{identity}")).status_code == 204
        assert [place for place in sorted(present) if identity in await places[place][0]()] == []
        assert [link for link in served if (await browser.get(link)).status_code != 404] == []
        taken = await api.put("/studio/draft", json=draft)
        assert taken.status_code == 422, "a new draft does not take it"
        assert (await api.post("/generations", json=wish(identity))).status_code in {404, 422}
        assert identity not in await exported(site, api)

        assert (await api.post(f"/files/{identity}/restoration")).status_code == 201
        left_out = [place for place in sorted(present) if identity not in await places[place][0]()]
        assert left_out == []
        assert [link for link in served if (await browser.get(link)).status_code != 200] == []


async def exported(site: Site, api: object) -> str:
    """Return the names and the rows of files of a new export of the account's data."""
    export = (await api.post("/exports")).json()  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        while (export := (await api.get(f"/exports/{export['id']}")).json())["status"] not in {"ready", "failed"}:  # type: ignore[attr-defined]
            await asyncio.sleep(0.2)
    data = await site.client.get(export["url"])
    with zipfile.ZipFile(io.BytesIO(data.content)) as archive:
        return "\n".join([*archive.namelist(), archive.read("data/media.stored_files.json").decode()])
