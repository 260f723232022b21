"""The page of one's domains."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts.domains import actions as domains
from vetrina.accounts.domains import queries as queries_domains
from vetrina.accounts.domains.model import DomainRow
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in

HERE = "/settings/domains"
_SAID = {
    "found": ("good", "The record is there: {domain} is yours."),
    "missing": ("wait", "There is no such record at {domain} yet. It can take an hour to be seen; we look again by ourselves."),
    "different": ("bad", "There is a record at {domain}, but with another text. Copy it whole."),
    "unreachable": ("bad", "The name servers of {domain} do not answer just now. We look again by ourselves."),
}


@get(HERE, guards=[signed_in], include_in_schema=False)
async def mine(request: Request) -> Response[str]:
    """The domains, and the records that prove them."""
    return await _mine(request)


@post(HERE, guards=[signed_in], include_in_schema=False)
async def add(request: Request, data: Form) -> Response[Any]:
    """Add one, or say beside the field what is wrong."""
    written = data.get("domain", "")
    try:
        async with request.tx() as tx:
            await domains.add(tx, request.account.id, written)
    except Refusal as refused:
        return await _mine(request, written, refused)
    return pages.go(HERE, flash=("info", "Now set the record below where your domain is kept."))


@post(HERE + "/{domain_id:uuid}/verification", guards=[signed_in], include_in_schema=False)
async def verify(request: Request, domain_id: UUID) -> Redirect:
    """Look the record up now, and say what was found."""
    row = await domains.verify(request.services, request.account.id, domain_id)
    kind, said = _SAID[row.answer or "unreachable"]
    return pages.go(HERE, flash=(kind, said.format(domain=domains.shown(row.domain))))


@post(HERE + "/{domain_id:uuid}/removal", guards=[signed_in], include_in_schema=False)
async def remove(request: Request, domain_id: UUID) -> Redirect:
    """Forget one."""
    async with request.tx() as tx:
        domain = await domains.remove(tx, request.account.id, domain_id)
    return pages.go(HERE, flash=("good", f"{domains.shown(domain)} is no longer in your list."))


async def _mine(request: Request, written: str = "", refused: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        rows = await tx.all(queries_domains.DOMAINS, account=request.account.id)
    return pages.render(
        request,
        "accounts/domains/domains.html",
        status=refused.status if refused else 200,
        nav="account",
        values={"domain": written},
        errors={"domain": refused.message} if refused else {},
        domains=[_item(row) for row in rows],
    )


def _item(row: DomainRow) -> dict[str, Any]:
    name, text = domains.record(row)
    return {**msgspec.structs.asdict(row), "shown": domains.shown(row.domain), "record_name": name, "record_text": text}


ROUTES: list[Any] = [mine, add, verify, remove]
