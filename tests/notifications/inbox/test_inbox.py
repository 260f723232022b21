"""Notifications: grouped, counted, marked, live; of the right account alone."""

from __future__ import annotations

import asyncio

from tests.factories import Make, race
from tests.gallery.helpers import address, written
from tests.messaging.helpers import stream
from tests.notifications.helpers import listed, texts, unread
from tests.server import Site
from vetrina.gallery.reactions import actions as reactions
from vetrina.notifications.actions import notify, notify_all
from vetrina.notifications.model import Event


async def test_likes_of_a_post_are_one_notification(site: Site, make: Make) -> None:
    artist = await make.account()
    post, other = await written(site, artist), await written(site, artist)
    fans = [await make.account() for _ in range(13)]
    fan = iter(fans)
    outcomes = await race(13, lambda: reactions.like(site.services, next(fan).id, artist.id, post["id"]))
    assert outcomes == [None] * 13
    await reactions.like(site.services, fans[0].id, artist.id, other["id"])
    second, first = await listed(site, artist)
    assert second["text"] == "Test liked your post" and second["total"] == 1
    assert first["text"] == "Test and 12 others liked your post" and first["total"] == 13
    assert first["href"] == address(post) and len(first["actors"]) == 2
    assert await unread(site, artist) == 2 and await unread(site, fans[0]) == 0


async def test_a_repeated_like_is_no_news_and_one_taken_back_is_gone(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    await reactions.like(site.services, fan.id, artist.id, post["id"])
    (newest,) = await listed(site, artist)
    async with site.api(artist) as client:
        assert (await client.put(f"/notifications/{newest['id']}/read-mark")).status_code == 204
    await reactions.like(site.services, fan.id, artist.id, post["id"])
    assert await unread(site, artist) == 0
    await reactions.unlike(site.services, fan.id, artist.id, post["id"])
    assert await texts(site, artist) == []


async def test_what_comes_after_a_read_mark_stays_unread(site: Site, make: Make) -> None:
    artist, fan, other = [await make.account() for _ in range(3)]
    post = await written(site, artist)
    for account in (fan, other):
        async with site.api(account) as client:
            assert (await client.post(f"{address(post)}/comments", json={"body": "Hm"})).status_code == 201
        if account is fan:
            (newest,) = await listed(site, artist)
    async with site.api(artist) as client:
        await client.put(f"/notifications/{newest['id']}/read-mark")
        assert await unread(site, artist) == 1
        await client.put("/notifications/read-mark")
    assert await unread(site, artist) == 0 and await texts(site, artist, unread=True) == []
    async with site.api(fan) as client:  # the same account's next comment is news again
        await client.post(f"{address(post)}/comments", json={"body": "Hm again"})
    assert await texts(site, artist, unread=True) == ["Test and 1 other commented on your post"]


async def test_follows_answers_and_approvals_reach_those_they_concern(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    async with site.api(fan) as client:
        await client.put(f"/following/{artist.id}")
        comment = (await client.post(f"{address(post)}/comments", json={"body": "How?"})).json()
    async with site.api(artist) as client:
        answer = {"body": "So", "parent_account_id": comment["account_id"], "parent_id": comment["id"]}
        assert (await client.post(f"{address(post)}/comments", json=answer)).status_code == 201
        await client.put("/gallery-privacy", json={"is_private": True})
    stranger = await make.account()
    async with site.api(stranger) as client:
        await client.put(f"/following/{artist.id}")
    assert await texts(site, artist) == ["Test asks to follow you", "Test commented on your post", "Test follows you"]
    assert await texts(site, fan) == ["Test answered your comment"]
    async with site.api(artist) as client:
        await client.put(f"/followers/{stranger.id}")
    assert await texts(site, stranger) == ["Test approved your request to follow"]
    assert await texts(site, artist, kind="follow_request") == []


async def test_blocks_and_mutes_are_respected(site: Site, make: Make) -> None:
    artist, fan, muted = [await make.account() for _ in range(3)]
    post = await written(site, artist)
    async with site.api(artist) as client:
        await client.put(f"/mutes/{muted.id}")
    for account in (fan, muted):
        await reactions.like(site.services, account.id, artist.id, post["id"])
    assert await texts(site, artist) == ["Test liked your post"]
    async with site.api(artist) as client:
        await client.put(f"/blocks/{fan.id}")
    assert await texts(site, artist) == []


async def test_pages_are_read_without_repeating_a_group(site: Site, make: Make) -> None:
    account, one, two = [await make.account() for _ in range(3)]
    async with site.services.db.tx() as tx:
        for number in range(7):
            for actor in (one, two):
                await notify(tx, account.id, "comment", f"{account.id}/{number}", actor=actor.id)
            await asyncio.sleep(0.002)  # ids of one millisecond are in no order
        await notify(tx, account.id, "no_module_has_this")
    seen: list[str] = []
    cursor = None
    async with site.api(account) as client:
        while True:
            page = (await client.get("/notifications", params={"limit": 3, **({"cursor": cursor} if cursor else {})})).json()
            seen += [item["subject"] for item in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
    assert seen == [f"{account.id}/{number}" for number in reversed(range(7))]


async def test_events_of_two_batches_at_once_lose_nothing(site: Site, make: Make) -> None:
    accounts = [await make.account() for _ in range(4)]
    actor = await make.account()
    order = iter([accounts, accounts[::-1]] * 8)

    async def write() -> None:
        async with site.services.db.tx() as tx:
            await notify_all(tx, [Event(account.id, "follow", actor=actor.id) for account in next(order)])

    assert await race(16, write) == [None] * 16
    for account in accounts:
        assert await texts(site, account) == ["Test follows you"]


async def test_the_count_is_live(site: Site, make: Make) -> None:
    account, actor = await make.account(), await make.account()
    async with site.api(account) as client, stream(client, "/notifications/events") as events:
        assert await anext(events) == ("notifications", "", {"unread": 0})
        async with site.services.db.tx() as tx:
            await notify(tx, account.id, "follow", actor=actor.id)
        assert (await asyncio.wait_for(anext(events), 10))[2] == {"unread": 1}
        await client.put("/notifications/read-mark")
        assert (await asyncio.wait_for(anext(events), 10))[2] == {"unread": 0}


async def test_amounts_are_written_in_the_readers_language(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    await reactions.like(site.services, fan.id, artist.id, post["id"])
    async with site.api(artist) as client:
        page = await client.get("/notifications", headers={"Accept-Language": "fa"})
    assert page.json()["items"][0]["text"] == "Test پست شما را پسندید"


async def test_old_notifications_and_those_of_erased_accounts_vanish(site: Site, make: Make) -> None:
    from vetrina.notifications import jobs, personal_data

    account, actor = await make.account(), await make.account()
    async with site.services.db.tx() as tx:
        await notify(tx, account.id, "follow", actor=actor.id)
        await notify(tx, account.id, "like", "a/b", actor=actor.id)
        await tx.connection.execute(
            "update notifications.notifications set created_at = now() - interval '91 days'"
            " where account_id = %s and kind = 'like'",
            (account.id,),
        )
    await jobs.purge(site.services)
    assert await texts(site, account) == ["Test follows you"]
    async with site.services.db.tx() as tx:
        await tx.execute(personal_data.ERASE_NOTIFICATIONS, account=actor.id)
    assert await texts(site, account) == []


async def test_the_page_marks_read_and_opens(site: Site, make: Make) -> None:
    artist, fan = await make.account(), await make.account()
    post = await written(site, artist)
    await reactions.like(site.services, fan.id, artist.id, post["id"])
    async with site.browser(artist) as browser:
        page = await browser.get("/notifications")
        assert "Test liked your post" in page.text and 'class="bell-count">1<' in page.text
        (newest,) = await listed(site, artist)
        answer = await browser.post(f"/notifications/{newest['id']}", data={"next": newest["href"]})
        assert answer.status_code == 303 and answer.headers["location"] == address(post)
        assert 'class="bell-count" hidden>' in (await browser.get("/notifications")).text
        assert (await browser.get("/notifications?show=unread&kind=like")).status_code == 200
        answer = await browser.post(f"/notifications/{newest['id']}", data={"delete": "1", "next": "https://elsewhere.example"})
        assert answer.headers["location"] == "/notifications"
    assert await texts(site, artist) == []
