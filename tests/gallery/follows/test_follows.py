"""Follows, private accounts, blocks and mutes."""

from __future__ import annotations

from tests.factories import Make, race
from tests.gallery.helpers import address, written, wrong_counters
from tests.server import Site
from vetrina.core.database.connection import Database


async def test_follows_at_once_count_once(site: Site, make: Make) -> None:
    artist = await make.account()
    fans = [await make.account() for _ in range(16)]
    numbers = iter(range(64))

    async def press(number: int) -> int:
        async with site.api(fans[number % 16]) as client:
            call = client.delete if number % 4 == 3 else client.put
            return (await call(f"/following/{artist.id}")).status_code

    assert set(await race(64, lambda: press(next(numbers)))) <= {200, 204}
    assert await wrong_counters(site.services.db) == []


async def test_a_private_account_approves_its_followers(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    async with site.api(artist) as own, site.api(fan) as reader:
        await own.put("/gallery-privacy", json={"is_private": True})
        assert (await reader.get(address(post))).status_code == 404
        assert (await reader.put(f"/following/{artist.id}")).json() == {"is_approved": False}
        assert (await reader.get("/feed")).json()["items"] == []
        assert [row["id"] for row in (await own.get("/follow-requests")).json()["items"]] == [str(fan.id)]
        assert (await own.put(f"/followers/{fan.id}")).status_code == 204
        assert [row["id"] for row in (await reader.get("/feed")).json()["items"]] == [post["id"]]
        assert (await reader.get(address(post))).status_code == 200
        assert (await site.client.get("/api/v1/wall")).json()["items"] == []
        await own.delete(f"/followers/{fan.id}")
        assert (await reader.get(address(post))).status_code == 404
    assert await wrong_counters(site.services.db) == []


async def test_a_block_hides_both_ways(site: Site, make: Make) -> None:
    artist, other = await make.account(), await make.account()
    post, readers_post = await written(site, artist), await written(site, other)
    async with site.api(artist) as own, site.api(other) as reader:
        await reader.put(f"/following/{artist.id}")
        await reader.post(f"{address(post)}/comments", json={"body": "Hm"})
        assert (await own.put(f"/blocks/{other.id}")).status_code == 204
        for client, hidden in ((reader, post), (own, readers_post)):
            assert (await client.get(address(hidden))).status_code == 404
            assert (await client.put(f"{address(hidden)}/like")).status_code == 404
            assert hidden["id"] not in [row["id"] for row in (await client.get("/wall")).json()["items"]]
            assert (await client.get(f"/accounts/{hidden['account_id']}/posts")).json()["items"] == []
        assert (await reader.put(f"/following/{artist.id}")).status_code == 404
        assert (await own.get(f"{address(post)}/comments")).json()["items"] == []
        assert (await own.get("/followers")).json()["items"] == []
        await own.delete(f"/blocks/{other.id}")
        assert (await reader.get(address(post))).status_code == 200
    assert await wrong_counters(site.services.db) == []


async def test_a_block_hides_profile_and_pictures_both_ways(site: Site, make: Make, db: Database) -> None:
    ada, eve, other = await make.account(), await make.account(), await make.account()
    async with db.tx() as tx:
        for account, handle in ((ada, "ada"), (eve, "eve")):
            await tx.connection.execute("update accounts.accounts set handle = %s where id = %s", (handle, account.id))
    async with site.browser(ada) as reader, site.browser(eve) as blocked, site.browser(other) as third, site.api(ada) as api:
        assert (await blocked.get("/@ada")).status_code == 200
        assert (await api.put(f"/blocks/{eve.id}")).status_code == 204
        for browser, handle, status in ((blocked, "ada", 404), (reader, "eve", 404), (third, "ada", 200), (reader, "ada", 200)):
            for path in (f"/@{handle}", f"/@{handle}/posts", f"/api/v1/profiles/{handle}", f"/api/v1/profiles/{handle}/pictures"):
                assert (await browser.get(path)).status_code == status, (path, status)
        assert (await api.delete(f"/blocks/{eve.id}")).status_code == 204
        assert (await blocked.get("/@ada")).status_code == 200


async def test_a_muted_account_is_out_of_lists_only(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    async with site.api(fan) as client:
        await client.put(f"/following/{artist.id}")
        await client.put(f"/mutes/{artist.id}")
        assert (await client.get("/feed")).json()["items"] == (await client.get("/wall")).json()["items"] == []
        assert (await client.get(address(post))).status_code == 200
        await client.delete(f"/mutes/{artist.id}")
        assert len((await client.get("/feed")).json()["items"]) == 1


async def test_one_cannot_follow_block_or_mute_oneself(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.api(account) as client:
        for path in ("following", "blocks", "mutes"):
            assert (await client.put(f"/{path}/{account.id}")).status_code == 422
            assert (await client.put(f"/{path}/01890000-0000-7000-8000-000000000000")).status_code == 404


async def test_followers_page_and_forms(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    origin = {"Sec-Fetch-Site": "same-origin"}
    async with site.browser(artist) as own, site.browser(fan) as reader:
        await own.post("/settings/followers", data={"is_private": "1"}, headers=origin)
        request = await reader.post(f"/accounts/{artist.id}/follow", data={"next": "/feed"}, headers=origin)
        assert request.status_code == 303 and request.headers["location"] == "/feed"
        page = await own.get("/settings/followers")
        assert f"/accounts/{fan.id}/approve" in page.text
        await own.post(f"/accounts/{fan.id}/approve", data={}, headers=origin)
        assert f"/accounts/{fan.id}/remove" in (await own.get("/settings/followers")).text
        assert (await reader.post(f"/accounts/{artist.id}/destroy", data={}, headers=origin)).status_code == 422
