"""Messages: sent once, numbered without gaps of knowledge, counted right, changed within their time."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from tests.factories import Make, race
from tests.gallery.helpers import address, upload, written
from tests.messaging.helpers import befriended, read, send, started, wrong_counters
from tests.server import Site
from vetrina.messaging.messages import actions
from vetrina.messaging.messages.actions import MessageRequest, SendBatcher


async def test_a_message_is_read_by_participants_alone(site: Site, make: Make) -> None:
    ada, leo, other = [await make.account() for _ in range(3)]
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    sent = await send(site, ada, path, "Hello Leo")
    assert (sent["position"], sent["is_own"], sent["author"]) == (1, True, "Test")
    (same,) = (await read(site, ada, f"{path}/messages"))["items"]
    assert sent == same, "the answer is what is read later"
    (got,) = (await read(site, leo, f"{path}/messages"))["items"]
    assert (got["body"], got["is_own"]) == ("Hello Leo", False)
    assert (await read(site, leo, path))["unread"] == 1 and (await read(site, ada, path))["unread"] == 0
    missing = path.replace(path[-12:], "0" * 12)
    async with site.api(other) as client:
        for method, end, body in (
            ("GET", "", None),
            ("GET", "/messages", None),
            ("POST", "/messages", {"body": "Hm"}),
            ("GET", "/events", None),
            ("PUT", "/mute", None),
            ("PUT", "/read-mark", {"position": 1}),
        ):
            answers = [await client.request(method, at + end, json=body) for at in (path, missing)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].json() == answers[1].json(), "what is there and what is not are one answer"


async def test_a_message_sent_again_is_one(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    async with site.api(ada) as client:
        headers = {"Idempotency-Key": "one"}
        outcomes = await race(64, lambda: client.post(f"{path}/messages", json={"body": "Once"}, headers=headers))
        assert {answer.json()["position"] for answer in outcomes if not isinstance(answer, BaseException)} == {1}
        other = await client.post(f"{path}/messages", json={"body": "Twice"}, headers=headers)
        assert other.status_code == 422 and other.json()["type"] == "urn:vetrina:key-reused"
    assert [item["body"] for item in (await read(site, leo, f"{path}/messages"))["items"]] == ["Once"]
    assert await wrong_counters(site.services.db) == []


async def test_counters_equal_rows_after_many_at_once(site: Site, make: Make) -> None:
    people = [await make.account() for _ in range(4)]
    for person in people:
        await befriended(site, person, *people[people.index(person) + 1 :])
    path = await started(site, people[0], *people[1:], is_group=True)
    conversation: Any = path.rpartition("/")[2]
    chance = random.Random(5)
    own = [SendBatcher.provide(site.services) for _ in range(2)]  # a batcher each, as two processes have
    numbers = iter(range(64))

    async def act() -> None:
        number = next(numbers)
        person = people[number % 4]
        if number % 8 == 7:
            async with site.services.db.tx() as tx:
                await actions.mark_read(tx, person.id, conversation, chance.randrange(1, 60))
        elif number % 16 == 5:
            sent = await actions.send(site.services, person.id, conversation, MessageRequest("Away"))
            async with site.services.db.tx() as tx:
                await actions.delete(tx, person.id, conversation, sent.position)
        else:
            item = actions.Item(person.id, conversation, actions.new_id(), actions.new_id(), f"{number}", "00", [], None, None)
            assert (await own[number % 2](item))["outcome"] == "created"

    assert [outcome for outcome in await race(64, act) if outcome is not None] == []
    assert sum(batcher.items for batcher in own) > sum(batcher.batches for batcher in own), "sent together, written together"
    items = (await read(site, people[1], f"{path}/messages", limit=100))["items"]
    assert len(items) == 56 and len({item["position"] for item in items}) == 56
    assert await wrong_counters(site.services.db) == []


async def test_read_marks_and_unread_counts(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    for number in range(5):
        await send(site, ada, path, f"{number}")
    async with site.api(leo) as client:
        await client.put(f"{path}/read-mark", json={"position": 3})
        assert (await client.get(path)).json()["unread"] == 2
        await client.put(f"{path}/read-mark", json={"position": 1})
        assert (await client.get(path)).json()["unread"] == 2, "a mark never goes back"
        await send(site, leo, path, "Wait")
        assert (await client.get(path)).json()["unread"] == 2, "an answer does not read what one did not see"
        await client.put(f"{path}/read-mark", json={"position": 2**61})
    conversation = await read(site, ada, path)
    assert conversation["people"][0]["read_position"] == conversation["last_position"] == 6
    assert await wrong_counters(site.services.db) == []


async def test_edit_and_delete_within_their_time(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    sent = await send(site, ada, path, "Helo")
    message = f"{path}/messages/{sent['position']}"
    async with site.api(ada) as client, site.api(leo) as reader:
        edited = (await client.patch(message, json={"body": "Hello"})).json()
        assert edited["body"] == "Hello" and edited["edited_at"] and edited["change"] > sent["change"]
        assert (await reader.patch(message, json={"body": "No"})).status_code == 404
        assert (await reader.delete(message)).status_code == 404
        async with site.services.db.tx() as tx:
            await tx.connection.execute("update messaging.messages set created_at = now() - interval '16 minutes'")
        assert (await client.patch(message, json={"body": "Late"})).status_code == 409
        assert (await client.delete(message)).status_code == 204
        (gone,) = (await reader.get(f"{path}/messages")).json()["items"]
        assert gone["body"] == "" and gone["deleted_at"]
        assert (await reader.get(path)).json()["unread"] == 0
        second = await send(site, ada, path, "Old")
        async with site.services.db.tx() as tx:
            await tx.connection.execute("update messaging.messages set created_at = now() - interval '3 days'")
        assert (await client.delete(f"{path}/messages/{second['position']}")).status_code == 409
    changed = await read(site, leo, f"{path}/messages", after=sent["change"])
    assert [item["position"] for item in changed["items"]] == [sent["position"], second["position"]]
    assert await wrong_counters(site.services.db) == []


async def test_pages_of_messages_and_invalid_ones(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    for number in range(7):
        await send(site, ada, path, f"{number}")
    first = await read(site, leo, f"{path}/messages", limit=4)
    second = await read(site, leo, f"{path}/messages", limit=4, cursor=first["next_cursor"])
    assert [item["body"] for item in first["items"] + second["items"]] == [f"{number}" for number in range(6, -1, -1)]
    assert second["next_cursor"] is None
    async with site.api(ada) as client:
        assert (await client.get(f"{path}/messages", params={"cursor": "x"})).status_code == 422
        for body in (
            {"body": "  "},
            {"body": "x" * 4001},
            {"file_ids": [str(leo.id)]},
            {"body": "x", "subject": {"kind": "y", "id": "z"}},
        ):
            assert (await client.post(f"{path}/messages", json=body)).status_code == 422


async def test_pictures_are_fetched_by_participants_alone(site: Site, make: Make) -> None:
    ada, leo, other = [await make.account() for _ in range(3)]
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    file = await upload(site, ada)
    sent = await send(site, ada, path, "", file_ids=[file])
    url = sent["images"][0]["thumbnail_url"]
    async with site.browser(leo) as reader, site.browser(other) as stranger:
        image = await reader.get(url)
        assert image.status_code == 200 and image.headers["content-type"].startswith("image/")
        assert (await reader.get(sent["images"][0]["url"])).headers["cache-control"].startswith("private")
        assert (await stranger.get(url)).status_code == 404
        assert (await site.client.get(url)).status_code == 303, "signing in comes first"
        async with site.api(ada) as client:
            assert (await client.delete(f"/files/{file}")).status_code in {200, 204}
        assert (await reader.get(url)).status_code == 404
    (left,) = (await read(site, leo, f"{path}/messages"))["items"]
    assert left["images"] == []


async def test_a_message_about_a_post(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    post = await written(site, leo, title="A cup")
    path = await started(site, ada, leo)
    subject = {"kind": "post", "id": f"{post['account_id']}/{post['id']}"}
    sent = await send(site, ada, path, "Is it for sale?", subject=subject)
    assert sent["subject"] == {**subject, "title": "A cup", "href": address(post)}
    async with site.api(leo) as client:
        await client.delete(f"/posts/{post['id']}")
    (read_now,) = (await read(site, ada, f"{path}/messages"))["items"]
    assert read_now["subject"] == {**subject, "title": None, "href": None}


async def test_search_in_persian_and_english(site: Site, make: Make) -> None:
    ada, leo, other = [await make.account() for _ in range(3)]
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    for body in ("The Exhibition opens on Friday", "نمایشگاه جمعه باز می‌شود", "100% of_it"):
        await send(site, ada, path, body)
    for query, number in (("exhib", 1), ("hibition friday", 1), ("saturday", 0), ("نمايشگاه", 1), ("ایشگاه", 1), ("می شود", 1),
                          ("f_it", 1), ("f__t", 0), ("%", 0)):  # fmt: skip
        assert len((await read(site, leo, "/messages", q=query))["items"]) == number, query
    assert (await read(site, other, "/messages", q="exhibition"))["items"] == []


async def test_messages_of_one_account_keep_their_order(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    conversation: Any = path.rpartition("/")[2]
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(actions.send(site.services, ada.id, conversation, MessageRequest(f"{number}")))
    items = (await read(site, leo, f"{path}/messages", limit=50))["items"]
    assert [item["body"] for item in reversed(items)] == [f"{number}" for number in range(40)]
