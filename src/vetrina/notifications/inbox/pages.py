"""The page of notifications."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.core.database.ids import read_id
from vetrina.core.database.paging import FIRST
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.notifications.inbox import actions
from vetrina.web.i18n import say

PAGE = 30
NOTIFICATIONS = "/notifications"


@get(NOTIFICATIONS, guards=[signed_in], include_in_schema=False)
async def show(request: Request, kind: str = "", show: str = "", cursor: Cursor = None) -> Response[str]:
    """Show the account's notifications."""
    services, only_unread = request.services, show == "unread"
    kinds = services.modules.notification_kinds
    kind = kind if kind in kinds else ""
    async with request.read() as tx:
        page = await actions.notifications(tx, services, request.account.id, cursor, PAGE, kind=kind, unread=only_unread)
    return pages.render(
        request,
        "notifications/inbox/notifications.html",
        nav="notifications",
        notifications=page.items,
        kinds=kinds,
        kind=kind,
        only_unread=only_unread,
        older=page.older(NOTIFICATIONS, {"kind": kind, "show": "unread" if only_unread else ""}),
    )


@post("/notifications/{notification_id:uuid}", guards=[signed_in], include_in_schema=False)
async def follow(request: Request, notification_id: UUID, data: Form) -> Redirect:
    """Mark a notification as read and open its page; with the field `delete`, delete it."""
    async with request.tx() as tx:
        if data.get("delete"):
            await actions.delete(tx, request.account.id, notification_id)
        else:
            await actions.mark_read(tx, request.account.id, notification_id)
    return pages.redirect(pages.safe_local_path(data.get("next"), NOTIFICATIONS))


@post("/notifications", guards=[signed_in], include_in_schema=False)
async def mark_all_read(request: Request, data: Form) -> Redirect:
    """Mark every notification up to the newest shown one as read."""
    async with request.tx() as tx:
        await actions.mark_all_read(tx, request.account.id, read_id(data.get("until")) or FIRST)
    return pages.redirect(NOTIFICATIONS, flash=("good", say("All read")))


ROUTES: list[Any] = [show, follow, mark_all_read]
