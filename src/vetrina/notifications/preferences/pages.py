"""The page on which an account chooses what it is notified of."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.notifications.model import Channel, PreferenceRow
from vetrina.notifications.preferences import actions, api
from vetrina.web.i18n import say

SETTINGS = "/settings/notifications"


@get(SETTINGS, guards=[signed_in], include_in_schema=False)
async def show(request: Request) -> Response[str]:
    """Show what the account is notified of, and by which channel."""
    return pages.render(request, "notifications/preferences/settings.html", nav="account", preferences=await api.read(request))


@post(SETTINGS, guards=[signed_in], include_in_schema=False)
async def save(request: Request, data: Form) -> Redirect:
    """Save the choices: a checkbox "kind:channel" for each that is on."""
    kinds = request.services.modules.notification_kinds
    rows = [PreferenceRow(kind, channel.value, f"{kind}:{channel.value}" in data) for kind in kinds for channel in Channel]
    async with request.tx() as tx:
        await actions.choose(tx, request.services, request.account.id, rows)
        await actions.stop_mail(tx, request.account.id, is_stopped="daily_mail" not in data)
    return pages.redirect(SETTINGS, flash=("good", say("Saved")))


ROUTES: list[Any] = [show, save]
