"""Requests of accounts that one does not follow: three texts, accepted, declined, answered."""

from __future__ import annotations

from tests.factories import Make
from tests.gallery.helpers import upload
from tests.messaging.conversations.test_conversations import inbox
from tests.messaging.helpers import read, send, started, wrong_counters
from tests.server import Site


async def test_a_stranger_writes_three_texts_until_accepted(site: Site, make: Make) -> None:
    stranger, ada = await make.account(), await make.account()
    path = await started(site, stranger, ada)
    async with site.api(stranger) as client:
        file = await upload(site, stranger)
        assert (await client.post(f"{path}/messages", json={"file_ids": [file]})).status_code == 403
        for number in range(3):
            await send(site, stranger, path, f"{number}")
        fourth = await client.post(f"{path}/messages", json={"body": "3"})
        assert fourth.status_code == 403 and fourth.json()["type"] == "urn:vetrina:request-pending"
        (request,) = await inbox(site, ada, "requests")
        assert request["status"] == "requested" and await inbox(site, ada) == []
        assert (await read(site, stranger, path))["people"][0]["read_position"] == 0
        async with site.api(ada) as owner:
            assert (await owner.put(f"{path}/acceptance")).status_code == 204
        assert len(await inbox(site, ada)) == 1 and await inbox(site, ada, "requests") == []
        await send(site, stranger, path, "", file_ids=[file])
    assert await wrong_counters(site.services.db) == []


async def test_declining_is_not_learned(site: Site, make: Make) -> None:
    stranger, ada = await make.account(), await make.account()
    path = await started(site, stranger, ada)
    await send(site, stranger, path, "One")
    async with site.api(ada) as owner:
        assert (await owner.delete(f"{path}/acceptance")).status_code == 204
        assert (await owner.get(path)).status_code == 404
        assert (await owner.delete(f"{path}/acceptance")).status_code == 404
    await send(site, stranger, path, "Two")
    assert await inbox(site, ada, "requests") == []
    assert (await read(site, stranger, path))["people"][0]["read_position"] == 0
    assert await started(site, ada, stranger) == path, "the one who declined may write after all"
    assert (await read(site, ada, path))["unread"] == 1
    assert await wrong_counters(site.services.db) == []


async def test_an_answer_accepts(site: Site, make: Make) -> None:
    stranger, ada = await make.account(), await make.account()
    path = await started(site, stranger, ada)
    await send(site, stranger, path, "One")
    await send(site, ada, path, "Hello")
    assert len(await inbox(site, ada)) == 1
    for number in range(5):
        await send(site, stranger, path, f"{number}")


async def test_following_accepts(site: Site, make: Make) -> None:
    stranger, ada = await make.account(), await make.account()
    path = await started(site, stranger, ada)
    for number in range(3):
        await send(site, stranger, path, f"{number}")
    async with site.api(ada) as client:
        await client.put(f"/following/{stranger.id}")
    await send(site, stranger, path, "Fourth")
    assert len(await inbox(site, ada)) == 1
