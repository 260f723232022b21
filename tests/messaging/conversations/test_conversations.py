"""Conversations: one of each pair, hidden, deleted, left; blocks; groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.factories import Account, Make, race
from tests.gallery.helpers import upload
from tests.messaging.helpers import befriended, read, send, started, wrong_counters
from tests.server import Site
from vetrina.accounts.privacy import erasures
from vetrina.core.audit import SYSTEM
from vetrina.messaging.conversations import actions
from vetrina.messaging.jobs import purge


async def inbox(site: Site, account: Account, box: str = "inbox") -> list[Any]:
    """Return the conversations of a box."""
    return list((await read(site, account, "/conversations", box=box))["items"])


async def count(site: Site, table: str) -> int:
    """Return the number of rows of a table of messaging."""
    async with site.services.db.read() as tx:
        rows = await tx.connection.execute(f"select count(*) from messaging.{table}".encode())
        return (await rows.fetchone() or (0,))[0]


async def test_one_direct_conversation_of_a_pair(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    numbers = iter(range(64))

    async def start() -> UUID:
        one, two = ((ada, leo), (leo, ada))[next(numbers) % 2]
        async with site.services.db.tx() as tx:
            return await actions.start(tx, one.id, two.id)

    assert len(set(await race(64, start))) == 1
    assert await count(site, "conversations") == 1 and await count(site, "participants") == 2


async def test_whom_one_cannot_write_to(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    missing = leo.id.hex[:-4] + "0000"
    async with site.api(ada) as client, site.api(leo) as other:
        answers = [await client.post("/conversations", json={"account_ids": [target]}) for target in (str(ada.id), missing)]
        await other.put(f"/blocks/{ada.id}")
        answers.append(await client.post("/conversations", json={"account_ids": [str(leo.id)]}))
        answers.append(await other.post("/conversations", json={"account_ids": [str(ada.id)]}))
        answers.append(await client.post("/conversations", json={"account_ids": [str(leo.id)], "is_group": True}))
    assert [answer.status_code for answer in answers] == [404] * 5
    assert len({answer.text for answer in answers}) == 1
    assert await count(site, "conversations") == 0


async def test_a_block_ends_writing_and_hides_the_conversation(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path)
    async with site.api(ada) as client, site.api(leo) as other:
        await other.put(f"/blocks/{ada.id}")
        for one in (client, other):
            assert (await one.post(f"{path}/messages", json={"body": "Hm"})).status_code == 404
            assert (await one.get(path)).status_code == 404
        assert await inbox(site, ada) == await inbox(site, leo) == []
        assert (await read(site, leo, "/messages", q="hello"))["items"] == []
        await other.delete(f"/blocks/{ada.id}")
    assert len(await inbox(site, ada)) == len(await inbox(site, leo)) == 1


async def test_a_hidden_conversation_returns_with_an_answer(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    assert await inbox(site, ada) == [], "nothing was written yet"
    await send(site, ada, path, "One")
    async with site.api(leo) as client:
        assert (await client.put(f"{path}/hiding")).status_code == 204
    assert await inbox(site, leo) == [] and len(await inbox(site, ada)) == len(await inbox(site, leo, "hidden")) == 1
    await send(site, ada, path, "Two")
    assert [item["preview"] for item in await inbox(site, leo)] == ["Two"]
    assert len((await read(site, leo, f"{path}/messages"))["items"]) == 2, "what was said stays"


async def test_deleted_for_all_only_by_all(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path, "One")
    async with site.api(ada) as one, site.api(leo) as two:
        assert (await two.delete(path)).status_code == 204
        assert await inbox(site, leo) == await inbox(site, leo, "hidden") == []
        assert len((await one.get(f"{path}/messages")).json()["items"]) == 1
        await send(site, ada, path, "Two")
        assert [item["body"] for item in (await two.get(f"{path}/messages")).json()["items"]] == ["Two"]
        assert (await two.delete(path)).status_code == 204
        assert await count(site, "messages") == 2
        assert (await one.delete(path)).status_code == 204
        assert await count(site, "messages") == await count(site, "conversations") == 0
        assert (await one.get(path)).status_code == 404


async def test_a_group_is_joined_and_left(site: Site, make: Make) -> None:
    ada, leo, sara, late = [await make.account() for _ in range(4)]
    await befriended(site, ada, leo, sara, late)
    path = await started(site, ada, leo, sara, is_group=True, title="Friends")
    await send(site, ada, path, "Before")
    async with site.api(ada) as client:
        assert (await client.post(f"{path}/participants", json={"account_ids": [str(late.id)]})).status_code == 201
    await send(site, leo, path, "After")
    assert [item["body"] for item in (await read(site, late, f"{path}/messages"))["items"]] == ["After"]
    async with site.api(sara) as client:
        assert (await client.delete(f"{path}/participation")).status_code == 204
        assert (await client.get(f"{path}/messages")).status_code == 404
    assert await inbox(site, sara) == []
    conversation = await read(site, ada, path)
    assert conversation["title"] == "Friends" and {person["id"] for person in conversation["people"]} == {
        str(leo.id),
        str(late.id),
    }
    direct = await started(site, ada, leo)
    async with site.api(ada) as client:
        assert (await client.post(f"{direct}/participants", json={"account_ids": [str(late.id)]})).status_code == 409
        assert (await client.delete(f"{direct}/participation")).status_code == 404
        many = [str(sara.id)] * 50
        assert (await client.post("/conversations", json={"account_ids": many, "is_group": True})).status_code == 422
    assert await wrong_counters(site.services.db) == []


async def test_a_muted_conversation_is_not_counted(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    async with site.api(leo) as client:
        await client.put(f"{path}/mute")
        await send(site, ada, path)
        (item,) = await inbox(site, leo)
        assert item["is_muted"] and item["unread"] == 1
        await client.delete(f"{path}/mute")
        assert not (await client.get(path)).json()["is_muted"]


async def test_purge_deletes_what_all_have_hidden_long_ago(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path)
    for account in (ada, leo):
        await purge(site.services)
        assert await count(site, "conversations") == 1
        async with site.api(account) as client:
            await client.put(f"{path}/hiding")
        async with site.services.db.tx() as tx:
            await tx.connection.execute("update messaging.participants set hidden_at = hidden_at - interval '31 days'")
            await tx.connection.execute("update messaging.conversations set created_at = created_at - interval '31 days'")
    await purge(site.services)
    assert await count(site, "conversations") == await count(site, "messages") == 0


async def test_messages_of_an_erased_account_stay_with_the_others(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path, "Goodbye", file_ids=[await upload(site, ada)])
    async with site.services.db.tx() as tx:
        await erasures.begin(tx, ada.id, SYSTEM)
    await erasures.erase(site.services, ada.id)
    (message,) = (await read(site, leo, f"{path}/messages"))["items"]
    assert (message["body"], message["author"], message["images"]) == ("Goodbye", None, [])
    assert (await read(site, leo, path))["title"] == "Deleted account"
    async with site.api(leo) as client:
        answer = await client.post(f"{path}/messages", json={"body": "Are you there?"})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:vetrina:account-unreachable")
        assert (await client.delete(path)).status_code == 204
    assert await count(site, "conversations") == 0, "the only one left has deleted it"
