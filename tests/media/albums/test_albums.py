"""Albums over the API: order, counts under concurrency, publishing, undo."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.factories import Make
from tests.media.albums.helpers import album, business, counts, rows
from tests.server import Site
from vetrina.media.albums.actions import slug_of
from vetrina.media.files.actions import faults


async def order(client: Any, album_id: str) -> list[str]:
    """Return the ids of an album's pictures, page by page."""
    ids, cursor = list[str](), ""
    while True:
        page = (await client.get(f"/albums/{album_id}/files?limit=2{cursor}")).json()
        ids += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return ids
        cursor = f"&cursor={page['next_cursor']}"


async def test_a_person_without_a_business_has_no_albums(site: Site, make: Make) -> None:
    person = await make.account()
    async with site.api(person) as client:
        refused = await client.post("/albums", json={"name": "Bowls"})
    assert refused.status_code == 403 and refused.json()["type"] == "urn:vetrina:no-business"


async def test_pictures_keep_their_order_through_moves(site: Site, make: Make) -> None:
    owner = await business(make, site)
    a, b, c, d = await rows(site.services.db, owner, 4)
    bowls = await album(site, owner, [a, b, c, d])
    path = f"/albums/{bowls['id']}"
    async with site.api(owner) as client:
        assert await order(client, bowls["id"]) == [a, b, c, d]
        assert (await client.put(f"{path}/files/{d}/place", json={"before": b})).status_code == 204
        assert await order(client, bowls["id"]) == [a, d, b, c]
        assert (await client.put(f"{path}/files/{a}/place", json={"before": None})).status_code == 204
        assert await order(client, bowls["id"]) == [d, b, c, a]
        for _ in range(40):  # halves the same gap until the album is numbered again
            await client.put(f"{path}/files/{b}/place", json={"before": d})
            await client.put(f"{path}/files/{d}/place", json={"before": b})
        assert await order(client, bowls["id"]) == [d, b, c, a]
        foreign = (await rows(site.services.db, owner, 1))[0]
        refused = await client.put(f"{path}/files/{a}/place", json={"before": foreign})
        assert refused.status_code == 409 and refused.json()["type"] == "urn:vetrina:picture-not-in-album"
        assert (await client.get(path)).json()["cover"]["id"] == d, "the first picture, where none is chosen"


async def test_64_changes_at_once_are_all_counted(site: Site, make: Make) -> None:
    owner = await business(make, site)
    files = await rows(site.services.db, owner, 96)
    bowls = await album(site, owner, files[:32])
    other = await album(site, owner, [])
    path = f"/albums/{bowls['id']}"
    async with site.api(owner) as client:
        answers = await asyncio.gather(
            *(client.post(f"{path}/files", json={"file_ids": [file, files[32]]}) for file in files[32:64]),
            *(client.post(f"{path}/removal", json={"file_ids": [file]}) for file in files[:16]),
            *(client.post(f"{path}/moves", json={"file_ids": [file], "album_id": other["id"]}) for file in files[16:32]),
        )
        assert {answer.status_code for answer in answers} == {201}
        assert await counts(site.services.db, bowls["id"]) == (32, 32)
        assert await counts(site.services.db, other["id"]) == (16, 16)
        assert sorted(await order(client, bowls["id"])) == sorted(files[32:64])
        deleted = await asyncio.gather(*(client.delete(f"/files/{file}") for file in files[32:64]))
        assert {answer.status_code for answer in deleted} == {204}
        assert await order(client, bowls["id"]) == [], "they are in the trash"
        assert await counts(site.services.db, bowls["id"]) == (32, 32), "they return to their places"
        deleted = await asyncio.gather(*(client.delete(f"/files/trash/{file}") for file in files[32:64]))
        assert {answer.status_code for answer in deleted} == {204}
        assert await counts(site.services.db, bowls["id"]) == (0, 0)
    async with site.services.db.read() as tx:
        assert await faults(tx) == []


async def test_moves_in_both_directions_do_not_deadlock(site: Site, make: Make) -> None:
    owner = await business(make, site)
    files = await rows(site.services.db, owner, 64)
    one, two = await album(site, owner, files[:32]), await album(site, owner, files[32:])
    async with site.api(owner) as client:
        answers = await asyncio.gather(
            *(client.post(f"/albums/{one['id']}/moves", json={"file_ids": [f], "album_id": two["id"]}) for f in files[:32]),
            *(client.post(f"/albums/{two['id']}/moves", json={"file_ids": [f], "album_id": one["id"]}) for f in files[32:]),
        )
        assert {answer.status_code for answer in answers} == {201}
        assert await counts(site.services.db, one["id"]) == (32, 32) == await counts(site.services.db, two["id"])
        assert set(await order(client, one["id"])) == set(files[32:])


async def test_a_removed_picture_and_a_deleted_album_come_back(site: Site, make: Make) -> None:
    owner, stranger = await business(make, site), await business(make, site)
    a, b, c = await rows(site.services.db, owner, 3)
    bowls = await album(site, owner, [a, b, c], cover_file_id=b)
    path = f"/albums/{bowls['id']}"
    assert bowls["cover_file_id"] == b
    async with site.api(owner) as client, site.api(stranger) as other:
        assert (await other.delete(path)).status_code == 404
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
        assert (await client.post(f"{path}/files", json={"file_ids": [a]})).status_code == 404
        restored = (await client.post(f"{path}/restoration")).json()
        assert restored["image_count"] == 3 and restored["cover_file_id"] == b
        removed = (await client.post(f"{path}/removal", json={"file_ids": [b]})).json()["file_ids"]
        assert removed == [b]
        left = (await client.get(path)).json()
        assert left["image_count"] == 2 and left["cover_file_id"] is None and left["cover"]["id"] == a
        assert (await client.get(f"/files/{b}")).status_code == 200, "the picture stays in the library"


async def test_visitors_see_the_public_pictures_of_public_albums(site: Site, make: Make) -> None:
    owner = await business(make, site)
    a, b = await rows(site.services.db, owner, 2)
    bowls = await album(site, owner, [a, b])
    public, visitor = f"/api/v1/public-albums/{owner.id}", site.client
    async with site.api(owner) as client:
        assert (await visitor.get(public)).json()["items"] == []
        assert (await visitor.get(f"{public}/{bowls['id']}/files")).status_code == 404
        await client.patch(f"/albums/{bowls['id']}", json={"is_public": True})
        assert (await visitor.get(public)).json()["items"][0]["cover"] is None
        assert (await visitor.get(f"{public}/{bowls['id']}/files")).json()["items"] == []
        await client.patch(f"/files/{b}", json={"is_public": True})
        assert [item["id"] for item in (await visitor.get(f"{public}/{bowls['id']}/files")).json()["items"]] == [b]
        assert (await visitor.get(public)).json()["items"][0]["cover"]["id"] == b
        await client.patch(f"/albums/{bowls['id']}", json={"is_public": False, "with_pictures": True})
        assert (await client.get(f"/files/{b}")).json()["is_public"] is False


async def test_many_files_are_tagged_and_published_at_once(site: Site, make: Make) -> None:
    owner, stranger = await business(make, site), await business(make, site)
    a, b = await rows(site.services.db, owner, 2)
    foreign = (await rows(site.services.db, stranger, 1))[0]
    async with site.api(owner) as client:
        change: dict[str, Any] = {"file_ids": [a, b, foreign], "add_tags": ["Red", "bowl"], "is_public": True}
        assert sorted((await client.post("/files/changes", json=change)).json()["file_ids"]) == sorted([a, b])
        await client.post("/files/changes", json={"file_ids": [a], "add_tags": ["RED"], "remove_tags": ["BOWL"]})
        answers = [(await client.get(f"/files/{file}")).json() for file in (a, b)]
        assert [(item["tags"], item["is_public"]) for item in answers] == [(["Red"], True), (["Red", "bowl"], True)]
        many = [f"t{number}" for number in range(30)]
        refused = await client.post("/files/changes", json={"file_ids": [a, b], "add_tags": many})
        assert refused.status_code == 422 and (await client.get(f"/files/{b}")).json()["tags"] == ["Red", "bowl"]


async def test_names_make_addresses(site: Site, make: Make) -> None:
    assert slug_of("  Red Bowls & Cups!  ", "x") == "red-bowls-cups"
    assert slug_of("کاسه‌های سفالی", "x") == "کاسه-های-سفالی"
    assert slug_of("???", "x") == "x"
    owner = await business(make, site)
    one, two = await album(site, owner, []), await album(site, owner, [])
    assert one["slug"] == "bowls" and two["slug"].startswith("bowls-") and two["name"] == "Bowls"
