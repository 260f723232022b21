"""Server-sent events of a payment's status."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.core.web.http.event_streams import event_stream
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import UNCOMPRESSED
from vetrina.payments import queries
from vetrina.payments.model import Status

QUIET = 10.0
"""Seconds after which the state is read again although no change was announced."""


@get("/payments/{payment_id:uuid}/events", guards=[signed_in], include_in_schema=False, opt=UNCOMPRESSED)
async def events(request: Request, payment_id: UUID) -> ServerSentEvent:
    """Stream events `payment` with `{id, status}` until the payment is no longer pending.

    404 for another account's payment.
    """
    account = request.account.id
    async with request.read() as tx:
        await tx.fetch_one(queries.ONE, account=account, id=payment_id)
    return event_stream(_messages(request.services, account, payment_id))


async def _messages(services: Services, account: AccountId, payment: UUID) -> AsyncIterator[ServerSentEventMessage]:
    with services.hub.subscribe(f"payments/{payment}") as messages:
        status = await _status(services, account, payment)
        yield _event(payment, status)
        if status != Status.PENDING:
            return
        async for _ in messages.messages(poll_interval=QUIET):
            status = await _status(services, account, payment)
            yield _event(payment, status)
            if status != Status.PENDING:
                return


async def _status(services: Services, account: AccountId, payment: UUID) -> str:
    async with services.db.read() as tx:
        return (await tx.fetch_one(queries.ONE, account=account, id=payment)).status


def _event(payment: UUID, status: str) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode({"id": payment, "status": status}).decode(), event="payment")


ROUTES: list[Any] = [events]
