"""The operator's page of the mirror: status, suggestions and links."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import Invalid, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.stripe_mirror import status as mirror_status
from vetrina.stripe_mirror.links import actions as links
from vetrina.stripe_mirror.links import queries as link_queries
from vetrina.web.i18n import say

PATH = "/operator/stripe"
PAGE_SIZE = 50
MAX_LENGTH = 300
"""The largest length of an account or customer in the form, in characters."""


@get(PATH, guards=[operator], include_in_schema=False)
async def stripe(request: Request) -> Response[str]:
    """Show the status of the mirror, suggestions and links."""
    return await _page(request)


@post(f"{PATH}/links", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def link(request: Request, data: Form) -> Response[Any]:
    """Link a customer to an account."""
    values = {name: data.get(name, "").strip()[:MAX_LENGTH] for name in ("account", "customer")}
    try:
        if not all(values.values()):
            raise Invalid("Enter an account and a customer.")
        async with request.tx() as tx:
            await links.link(tx, await links.account(tx, values["account"]), values["customer"])
    except Refusal as refused:
        return await _page(request, values=values, refused=refused)
    return pages.redirect(PATH, flash=("good", say("{customer} is linked.", customer=values["customer"])))


@post(f"{PATH}/links/removal", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def unlink(request: Request, data: Form) -> Redirect:
    """Remove a link, if there is one."""
    async with request.tx() as tx:
        await links.unlink(tx, data.get("customer", ""))
    return pages.redirect(PATH, flash=("good", say("Link removed.")))


async def _page(request: Request, *, values: dict[str, str] | None = None, refused: Refusal | None = None) -> Response[str]:
    status = await mirror_status.status(request.services)
    async with request.read() as tx:
        suggestions = await tx.fetch_all(link_queries.SUGGESTIONS, limit=PAGE_SIZE)
        linked = await tx.fetch_all(link_queries.LINKS, customer=None, limit=PAGE_SIZE)
    runs = {row.kind: row for row in status.list_runs}
    return pages.render(
        request,
        "stripe_mirror/status.html",
        refusal=refused,
        fields=("account", "customer"),
        nav="operator",
        mirror=status,
        kinds=[{"name": row.kind.replace("_", " "), "status": row, "run": runs.get(row.kind)} for row in status.kinds],
        endpoint=f"{request.services.settings.address}/webhooks/stripe",
        suggestions=suggestions,
        links=linked,
        values=values or {"account": "", "customer": ""},
    )


ROUTES: list[Any] = [stripe, link, unlink]
