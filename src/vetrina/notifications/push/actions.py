"""Actions on push subscriptions."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import NotFound, Refusal
from vetrina.notifications.push import queries
from vetrina.notifications.push.encryption import encrypt

BROWSERS = 20
"""Browsers of one account."""
_LOOPBACK = "127.0.0.1"


class BadSubscription(Refusal):
    """This is not a subscription at a push service that this site sends to."""

    status = 422
    field = "endpoint"


class TooManyBrowsers(Refusal):
    """This account is notified in many browsers already. Remove one first."""

    status = 409


async def subscribe(tx: Tx, account: AccountId, endpoint: str, p256dh: str, auth: str, device: str) -> UUID:
    """Have a browser show the account's notifications; return the subscription's id. Repeating it changes nothing.

    The browser is the account's alone from now on. Only services of the setting `notifications.push_services` are sent to, so
    that no other address is requested. Raises BadSubscription (422), TooManyBrowsers (409).
    """
    if not is_service(endpoint, await tx.fetch_one(queries.SERVICES)):
        raise BadSubscription
    try:
        encrypt(b"", p256dh, auth)
    except ValueError:
        raise BadSubscription from None
    await tx.execute(queries.FREE, endpoint=endpoint, account=account)
    subscription = await tx.fetch_one(
        queries.SUBSCRIBE, account=account, id=new_id(), endpoint=endpoint, p256dh=p256dh, auth=auth, device=device[:100]
    )
    if await tx.fetch_one(queries.COUNT, account=account) > BROWSERS:
        raise TooManyBrowsers
    return subscription


async def unsubscribe(tx: Tx, account: AccountId, subscription: UUID) -> None:
    """Remove a browser. Raises NotFound (404)."""
    if not await tx.execute(queries.UNSUBSCRIBE, account=account, id=subscription):
        raise NotFound


def is_service(endpoint: str, services: str) -> bool:
    """Return whether an address is one of these services' (hosts, separated by commas; their subdomains too), by HTTPS."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.username or parts.password or len(endpoint) > 1000:
        return False
    names = [name.strip().lower() for name in services.split(",") if name.strip()]
    if host == _LOOPBACK:  # a push service beside the site, such as a test's, and only if the operator names it
        return parts.scheme == "http" and _LOOPBACK in names
    return parts.scheme == "https" and port in {None, 443} and any(host == name or host.endswith(f".{name}") for name in names)
