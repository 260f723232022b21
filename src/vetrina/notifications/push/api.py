"""JSON routes of push subscriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.accounts import user_agents
from vetrina.core.database.paging import Page
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.notifications.push import actions, queries
from vetrina.notifications.push.keys import PushKey


class PushKeyResponse(msgspec.Struct, frozen=True):
    """The site's public key, as `applicationServerKey` of a browser's `pushManager.subscribe`."""

    public_key: str


class SubscriptionKeys(msgspec.Struct, forbid_unknown_fields=True):
    """The browser's keys, base64url."""

    p256dh: Annotated[str, msgspec.Meta(min_length=80, max_length=100)]
    auth: Annotated[str, msgspec.Meta(min_length=16, max_length=40)]


class SubscriptionRequest(msgspec.Struct):
    """A browser's PushSubscription as its `toJSON` writes it."""

    endpoint: Annotated[str, msgspec.Meta(min_length=9, max_length=1000)]
    keys: SubscriptionKeys


class Subscription(msgspec.Struct, frozen=True):
    """A browser that shows the account's notifications."""

    id: UUID
    device: str
    last_success_at: datetime | None
    created_at: datetime


@get("/push-key", guards=[signed_in], tags=["notifications"], sync_to_thread=False)
def push_key(request: Request) -> PushKeyResponse:
    """Return the key that browsers subscribe with."""
    return PushKeyResponse(request.services.get(PushKey).public)


@get("/push-subscriptions", guards=[signed_in], tags=["notifications"])
async def subscriptions(request: Request) -> Page[Subscription]:
    """Return the browsers that show the account's notifications."""
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.LIST, account=request.account.id)
    return Page([msgspec.convert(row, Subscription, from_attributes=True) for row in rows], None)


@post("/push-subscriptions", guards=[signed_in], tags=["notifications"], opt=limited("reactions"))
async def subscribe(request: Request, data: SubscriptionRequest) -> Subscription:
    """Have a browser show the account's notifications. Repeating it changes nothing."""
    account, device = request.account.id, user_agents.title(request.headers.get("user-agent"))
    async with request.tx() as tx:
        subscription = await actions.subscribe(tx, account, data.endpoint, data.keys.p256dh, data.keys.auth, device)
        rows = await tx.fetch_all(queries.LIST, account=account)
    return next(msgspec.convert(row, Subscription, from_attributes=True) for row in rows if row.id == subscription)


@delete("/push-subscriptions/{subscription_id:uuid}", guards=[signed_in], tags=["notifications"])
async def unsubscribe(request: Request, subscription_id: UUID) -> None:
    """Remove a browser."""
    async with request.tx() as tx:
        await actions.unsubscribe(tx, request.account.id, subscription_id)


ROUTES: list[Any] = [push_key, subscriptions, subscribe, unsubscribe]
