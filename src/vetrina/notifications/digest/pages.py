"""The page behind the link of a daily mail. One POST stops the mails, without a session (RFC 8058)."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, limited_by_address
from vetrina.notifications.digest import links
from vetrina.notifications.preferences import actions as preferences

_UNSUBSCRIBE = "/unsubscribe/{token:str}"


@get(_UNSUBSCRIBE, include_in_schema=False, opt=ANONYMOUS, sync_to_thread=False)
def ask(request: Request, token: str) -> Response[str]:
    """Ask whether to stop the mails: opening the link changes nothing, since mail readers open links too."""
    links.account_of(request.services, token)
    return pages.render(request, "notifications/digest/unsubscribe.html", is_stopped=False)


@post(_UNSUBSCRIBE, status_code=200, include_in_schema=False, opt={**ANONYMOUS, **limited_by_address("sitemaps")})
async def stop(request: Request, token: str) -> Response[str]:
    """Stop the daily mail."""
    account = links.account_of(request.services, token)
    async with request.tx() as tx:
        await preferences.stop_mail(tx, account, is_stopped=True)
    return pages.render(request, "notifications/digest/unsubscribe.html", is_stopped=True)


ROUTES: list[Any] = [ask, stop]
