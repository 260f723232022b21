"""Notifications of conversations: one when a conversation becomes unread, gone when it is read."""

from __future__ import annotations

from tests.factories import Make
from tests.messaging.helpers import befriended, send, started
from tests.notifications.helpers import listed, texts
from tests.server import Site


async def test_a_conversation_that_becomes_unread_is_one_notification(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    for number in range(3):
        await send(site, ada, path, f"{number}")
    assert await listed(site, ada, kind="message") == []
    (item,) = await listed(site, leo, kind="message")
    assert item["text"] == "Test wrote to you" and item["href"] == path
    async with site.api(leo) as client:
        await client.put(f"{path}/read-mark", json={"position": 3})
        assert await texts(site, leo, kind="message") == []
        await client.put(f"{path}/mute")
    await send(site, ada, path, "Unheard")
    assert await texts(site, leo, kind="message") == []


async def test_a_request_is_a_notification_of_its_own(site: Site, make: Make) -> None:
    stranger, ada = await make.account(), await make.account()
    path = await started(site, stranger, ada)
    await send(site, stranger, path)
    assert await texts(site, ada) == ["Test asks to write to you"]
    async with site.api(ada) as client:
        await client.put(f"{path}/acceptance")
    assert await texts(site, ada) == []


async def test_a_muted_account_is_not_announced(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    async with site.api(leo) as client:
        await client.put(f"/mutes/{ada.id}")
    await send(site, ada, path)
    assert await texts(site, leo, kind="message") == []
