"""The operator's page of the mirror: how it stands, and whose customer is whose account."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import Invalid, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.stripe_mirror import account_links as links
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror import status as show

HERE = "/operator/stripe"
SHOWN = 50
LONGEST = 300
"""Characters of an account's or a customer's name in the form."""


@get(HERE, guards=[operator], include_in_schema=False)
async def stripe(request: Request) -> Response[str]:
    """How the mirror stands, suggestions, links."""
    return await _page(request)


@post(f"{HERE}/links", guards=[operator], include_in_schema=False)
async def link(request: Request, data: Form) -> Response[Any]:
    """Say that a customer is an account's."""
    values = {name: data.get(name, "").strip()[:LONGEST] for name in ("account", "customer")}
    try:
        if not all(values.values()):
            raise Invalid("Name the account and the customer.")
        async with request.tx() as tx:
            await links.link(tx, await links.account(tx, values["account"]), values["customer"])
    except Refusal as refused:
        return await _page(request, values=values, refused=refused)
    return pages.redirect(HERE, flash=("good", f"{values['customer']} is linked."))


@post(f"{HERE}/links/removal", guards=[operator], include_in_schema=False)
async def unlink(request: Request, data: Form) -> Redirect:
    """Take a link away; one that is not there is as good as gone."""
    async with request.tx() as tx:
        await links.unlink(tx, data.get("customer", ""))
    return pages.redirect(HERE, flash=("good", "The link is gone."))


async def _page(request: Request, *, values: dict[str, str] | None = None, refused: Refusal | None = None) -> Response[str]:
    status = await show.status(request.services)
    async with request.read() as tx:
        suggestions = await tx.all(queries.SUGGESTIONS, limit=SHOWN)
        linked = await tx.all(queries.LINKS, customer=None, limit=SHOWN)
    read = {each.kind: each for each in status.readings}
    beside = str(refused.field) if refused and refused.field in {"account", "customer"} else None
    return pages.render(
        request,
        "stripe_mirror/status.html",
        status=refused.status if refused else 200,
        nav="operator",
        standing=status,
        kinds=[{"name": each.kind.replace("_", " "), "of": each, "read": read.get(each.kind)} for each in status.kinds],
        endpoint=f"{request.services.settings.address}/webhooks/stripe",
        suggestions=suggestions,
        links=linked,
        values=values or {"account": "", "customer": ""},
        errors={name: refused.message if refused and name == beside else None for name in ("account", "customer")},
        error=refused.message if refused and not beside else None,
    )


ROUTES: list[Any] = [stripe, link, unlink]
