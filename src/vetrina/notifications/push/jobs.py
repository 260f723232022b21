"""The job that sends notifications to an account's browsers."""

from __future__ import annotations

from uuid import UUID

import httpx2
import msgspec
import structlog

from vetrina.clients import tls
from vetrina.core.database.ids import AccountId
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.notifications import presenters
from vetrina.notifications.model import Channel
from vetrina.notifications.preferences import actions as preferences
from vetrina.notifications.presenters import Notification
from vetrina.notifications.push import actions, queries
from vetrina.notifications.push.encryption import encrypt
from vetrina.notifications.push.keys import PushKey
from vetrina.notifications.push.queries import SubscriptionRow
from vetrina.web import i18n

log = structlog.get_logger("vetrina.notifications")
KEPT_SECONDS = 12 * 3600
"""Seconds for which a push service keeps a message for a browser that is not running."""
GONE = {404, 410}
"""Answers for a browser that no longer has the subscription."""


class PushFailed(Exception):
    """A push service could not take a message now."""


@job("notifications.push", queue="push", attempts=4)
async def push(services: Services, *, account_id: str) -> None:
    """Send what is new to the account's browsers. A message may come twice, and replaces the former of its subject."""
    account = AccountId(UUID(account_id))
    async with services.db.read() as tx:
        subscriptions = await tx.fetch_all(queries.LIST, account=account)
        rows = await tx.fetch_all(queries.TO_PUSH, account=account)
        chosen = await preferences.chosen(tx, services, account)
        allowed = await tx.fetch_one(queries.SERVICES)
        language = await tx.fetch_optional(queries.LANGUAGE, account=account)
    with i18n.use(i18n.named(language) or "en"):
        notifications = presenters.notifications(services, [row for row in rows if chosen.get((row.kind, Channel.PUSH))])
    failed = False
    async with httpx2.AsyncClient(verify=tls.certificates(), timeout=20, follow_redirects=False, trust_env=False) as client:
        for subscription in subscriptions:
            if actions.is_service(subscription.endpoint, allowed):
                failed |= not await _send(client, services, account, subscription, notifications)
    if failed:
        raise PushFailed("a push service could not take a message; it is tried again")
    if rows:
        async with services.db.tx() as tx:
            await tx.execute(queries.MARK_PUSHED, account=account, until=rows[-1].id)


async def _send(
    client: httpx2.AsyncClient,
    services: Services,
    account: AccountId,
    subscription: SubscriptionRow,
    notifications: list[Notification],
) -> bool:
    """Send to one browser; return whether all were taken. A subscription that is gone is deleted."""
    for notification in notifications:
        body = {"text": notification.text, "href": notification.href, "tag": f"{notification.kind}/{notification.subject}"}
        headers = {
            "Authorization": services.get(PushKey).authorization(subscription.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_SECONDS),
            "Urgency": "normal",
        }
        content = encrypt(msgspec.json.encode(body), subscription.p256dh, subscription.auth)
        try:
            answer = await client.post(subscription.endpoint, content=content, headers=headers)
        except httpx2.HTTPError:
            return False
        if answer.status_code in GONE:
            async with services.db.tx() as tx:
                await tx.execute(queries.UNSUBSCRIBE, account=account, id=subscription.id)
            return True
        if answer.status_code == 429 or answer.status_code >= 500:
            return False
        if answer.status_code >= 400:
            log.error("a push service refused a message", status=answer.status_code, answer=answer.text[:200])
            return True
    if notifications:
        async with services.db.tx() as tx:
            await tx.execute(queries.SENT, account=account, id=subscription.id)
    return True
