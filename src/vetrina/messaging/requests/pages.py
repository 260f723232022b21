"""Forms of requests: accept, decline."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import post
from litestar.response import Redirect

from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.messaging.conversations import actions as conversations
from vetrina.messaging.requests import actions
from vetrina.web.i18n import say


@post("/conversations/{conversation_id:uuid}/acceptance", guards=[signed_in], include_in_schema=False)
async def answer(request: Request, conversation_id: UUID, data: Form) -> Redirect:
    """Accept a request, or (field `decline`) decline it."""
    account = request.account.id
    async with request.tx() as tx:
        if data.get("decline"):
            await conversations.step_out(tx, account, conversation_id, "declined")
            return pages.redirect("/conversations?box=requests", flash=("good", say("Declined. The account does not learn it.")))
        await actions.accept(tx, account, conversation_id)
    return pages.redirect(f"/conversations/{conversation_id}")


ROUTES: list[Any] = [answer]
