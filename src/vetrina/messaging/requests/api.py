"""JSON routes of requests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, put

from vetrina.core.web.request import Request, signed_in
from vetrina.messaging.conversations import actions as conversations
from vetrina.messaging.requests import actions

_ACCEPTANCE = "/conversations/{conversation_id:uuid}/acceptance"


@put(_ACCEPTANCE, status_code=204, guards=[signed_in], tags=["messaging"])
async def accept(request: Request, conversation_id: UUID) -> None:
    """Accept a request. So does an answer."""
    async with request.tx() as tx:
        await actions.accept(tx, request.account.id, conversation_id)


@delete(_ACCEPTANCE, guards=[signed_in], tags=["messaging"])
async def decline(request: Request, conversation_id: UUID) -> None:
    """Decline a request; the other account does not learn it. 404 for a conversation that is not a request."""
    async with request.tx() as tx:
        await conversations.step_out(tx, request.account.id, conversation_id, "declined")


ROUTES: list[Any] = [accept, decline]
