"""Web Push: encrypted as the standard's example, signed for the service, sent once, given up for browsers that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg.types.json import Jsonb

from tests.factories import Account, Make
from tests.fakes.push_service import PushService, decode
from tests.server import Site
from vetrina.notifications.actions import notify
from vetrina.notifications.push import actions, jobs
from vetrina.notifications.push.encryption import MOST_BYTES, encrypt


@pytest.fixture
def service() -> Iterator[PushService]:
    push_service = PushService()
    yield push_service
    push_service.close()


async def subscribed(site: Site, account: Account, service: PushService) -> Any:
    """Subscribe the service's browser, which the operator's setting allows."""
    async with site.services.db.tx() as tx:
        await tx.connection.execute(
            "update core.settings set value = %s where key = 'notifications.push_services'", (Jsonb("127.0.0.1"),)
        )
    async with site.api(account) as client:
        public_key = (await client.get("/push-key")).json()["public_key"]
        return await client.post("/push-subscriptions", json=service.subscription(public_key))


async def follow(site: Site, account: Account, actor: Account) -> None:
    """Notify an account that another follows it."""
    async with site.services.db.tx() as tx:
        await notify(tx, account.id, "follow", actor=actor.id)


def test_a_message_is_encrypted_as_in_the_standard() -> None:
    key = ec.derive_private_key(int.from_bytes(decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1())
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
        key=key,
        salt=decode("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cV"
        "PTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    with pytest.raises(ValueError, match="at most"):
        encrypt(b"x" * (MOST_BYTES + 1), "", "")


async def test_a_notification_reaches_the_browser_once(site: Site, make: Make, service: PushService) -> None:
    account, actor = await make.account(), await make.account()
    answer = await subscribed(site, account, service)
    assert answer.status_code == 201, answer.text
    await follow(site, account, actor)
    for _ in range(2):
        await jobs.push(site.services, account_id=str(account.id))
    assert service.faults == []
    assert service.messages == [{"text": "Test follows you", "href": "/settings/followers", "tag": "follow/"}]
    async with site.api(account) as client:
        (browser,) = (await client.get("/push-subscriptions")).json()["items"]
        assert browser["last_success_at"] and (await client.delete(f"/push-subscriptions/{browser['id']}")).status_code == 204


async def test_a_kind_that_is_off_is_not_pushed(site: Site, make: Make, service: PushService) -> None:
    account, actor = await make.account(), await make.account()
    await subscribed(site, account, service)
    async with site.api(account) as client:
        choice = {"choices": [{"kind": "follow", "channel": "push", "is_on": False}]}
        assert (await client.patch("/notification-preferences", json=choice)).status_code == 200
    await follow(site, account, actor)
    await jobs.push(site.services, account_id=str(account.id))
    assert service.messages == [] and service.faults == []


async def test_a_service_that_is_away_is_tried_again_and_a_gone_browser_removed(
    site: Site, make: Make, service: PushService
) -> None:
    account, actor = await make.account(), await make.account()
    await subscribed(site, account, service)
    await follow(site, account, actor)
    service.status = 503
    with pytest.raises(jobs.PushFailed):
        await jobs.push(site.services, account_id=str(account.id))
    service.status = 201
    await jobs.push(site.services, account_id=str(account.id))
    assert len(service.messages) == 1
    service.status = 410
    await follow(site, account, await make.account())
    await jobs.push(site.services, account_id=str(account.id))
    async with site.api(account) as client:
        assert (await client.get("/push-subscriptions")).json()["items"] == []


async def test_a_browser_belongs_to_the_account_signed_in_last(site: Site, make: Make, service: PushService) -> None:
    first, second = await make.account(), await make.account()
    assert (await subscribed(site, first, service)).status_code == 201
    assert (await subscribed(site, second, service)).status_code == 201
    async with site.api(first) as client:
        assert (await client.get("/push-subscriptions")).json()["items"] == []


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("https://push.example.com/fcm/send/x", True),
        ("https://updates.push.example.com/x", True),
        ("https://push.example.com:443/x", True),
        ("http://push.example.com/x", False),
        ("https://push.example.com:8443/x", False),
        ("https://evilpush.example.com/x", False),
        ("https://push.example.com@127.0.0.1/x", False),
        ("http://127.0.0.1:8000/x", False),
        ("https://[::1/x", False),
    ],
)
def test_only_push_services_are_sent_to(endpoint: str, allowed: bool) -> None:
    assert actions.is_service(endpoint, "push.example.com, push.example.org") == allowed


async def test_the_service_worker_is_at_the_root(site: Site) -> None:
    answer = await site.client.get("/service-worker.js")
    assert answer.status_code == 200 and answer.headers["service-worker-allowed"] == "/"
    assert "js/service_worker" in answer.text and "No connection" in (await site.client.get("/offline")).text
