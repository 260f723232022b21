"""The page of an account's domains."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts.domains import actions as domains
from vetrina.accounts.domains import queries
from vetrina.accounts.domains.model import DomainRow
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.web.i18n import say

PATH = "/settings/domains"
_RESULTS = {
    "found": ("good", "The record was found: {domain} is verified."),
    "missing": ("wait", "There is no such record at {domain} yet. It can take an hour to appear; we keep looking."),
    "different": ("bad", "There is a record at {domain}, but with another text. Copy the whole text."),
    "unreachable": ("bad", "The name servers of {domain} do not answer at the moment. We keep looking."),
}


@get(PATH, guards=[signed_in], include_in_schema=False)
async def list_domains(request: Request) -> Response[str]:
    """Show the domains, and the records that verify them."""
    return await _page(request)


@post(PATH, guards=[signed_in], include_in_schema=False)
async def add(request: Request, data: Form) -> Response[Any]:
    """Add a domain, or show what is wrong beside the field."""
    text = data.get("domain", "")
    try:
        async with request.tx() as tx:
            await domains.add(tx, request.account.id, text)
    except Refusal as refusal:
        return await _page(request, text, refusal)
    return pages.redirect(PATH, flash=("info", say("Now add the DNS record below at the provider of your domain.")))


@post(PATH + "/{domain_id:uuid}/verification", guards=[signed_in], include_in_schema=False)
async def verify(request: Request, domain_id: UUID) -> Redirect:
    """Look up the record now, and show the result."""
    row = await domains.verify(request.services, request.account.id, domain_id)
    level, message = _RESULTS[row.answer or "unreachable"]
    return pages.redirect(PATH, flash=(level, message.format(domain=domains.display_domain(row.domain))))


@post(PATH + "/{domain_id:uuid}/removal", guards=[signed_in], include_in_schema=False)
async def remove(request: Request, domain_id: UUID) -> Redirect:
    """Remove a domain."""
    async with request.tx() as tx:
        domain = await domains.remove(tx, request.account.id, domain_id)
    return pages.redirect(PATH, flash=("good", say("{domain} is no longer in your list.", domain=domains.display_domain(domain))))


async def _page(request: Request, text: str = "", refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.DOMAINS, account=request.account.id)
    return pages.render(
        request,
        "accounts/domains/domains.html",
        refusal=refusal,
        nav="account",
        values={"domain": text},
        errors={"domain": refusal.message} if refusal else {},
        domains=[_item(row) for row in rows],
    )


def _item(row: DomainRow) -> dict[str, Any]:
    name, text = domains.txt_record(row)
    columns = msgspec.structs.asdict(row)
    return {**columns, "label": domains.display_domain(row.domain), "record_name": name, "record_text": text}


ROUTES: list[Any] = [list_domains, add, verify, remove]
