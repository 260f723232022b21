"""JSON routes of proven domains."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.accounts.domains import actions as domains
from vetrina.accounts.domains import queries as queries_domains
from vetrina.accounts.domains.model import DomainRow
from vetrina.core.web.paging import Page
from vetrina.core.web.request import Request, signed_in


class Adding(msgspec.Struct, forbid_unknown_fields=True):
    """What adding takes: a domain, or an address on it."""

    domain: Annotated[str, msgspec.Meta(max_length=300)]


class Record(msgspec.Struct):
    """The TXT record that proves it."""

    name: str
    value: str
    type: str = "TXT"


class Domain(msgspec.Struct):
    """A domain. `status` is pending, verified or lost; `answer` what was found last: found, missing, different, unreachable.

    `domain` is in its ASCII form, `shown` as people write it.
    """

    id: UUID
    domain: str
    shown: str
    status: str
    record: Record
    verified_at: datetime | None
    checked_at: datetime | None
    answer: str | None
    created_at: datetime


@get("/domains", guards=[signed_in], tags=["domains"])
async def mine(request: Request) -> Page[Domain]:
    """The account's domains, at most 20."""
    async with request.read() as tx:
        rows = await tx.all(queries_domains.DOMAINS, account=request.account.id)
    return Page([_domain(row) for row in rows], None)


@post("/domains", guards=[signed_in], tags=["domains"])
async def add(request: Request, data: Adding) -> Domain:
    """Add a domain, to be proven by the TXT record in the answer. 409 when it is there already or there are 20."""
    async with request.tx() as tx:
        return _domain(await domains.add(tx, request.account.id, data.domain))


@get("/domains/{domain_id:uuid}", guards=[signed_in], tags=["domains"])
async def one(request: Request, domain_id: UUID) -> Domain:
    """One domain."""
    async with request.read() as tx:
        return _domain(await tx.one(queries_domains.DOMAIN, account=request.account.id, id=domain_id))


@post("/domains/{domain_id:uuid}/verification", guards=[signed_in], status_code=200, tags=["domains"])
async def verify(request: Request, domain_id: UUID) -> Domain:
    """Look the record up now. It is also looked up by itself: for three days, and daily once it is verified."""
    return _domain(await domains.verify(request.services, request.account.id, domain_id))


@delete("/domains/{domain_id:uuid}", guards=[signed_in], tags=["domains"])
async def remove(request: Request, domain_id: UUID) -> None:
    """Forget a domain."""
    async with request.tx() as tx:
        await domains.remove(tx, request.account.id, domain_id)


def _domain(row: DomainRow) -> Domain:
    return Domain(
        id=row.id,
        domain=row.domain,
        shown=domains.shown(row.domain),
        status=row.status,
        record=Record(*domains.record(row)),
        verified_at=row.verified_at,
        checked_at=row.checked_at,
        answer=row.answer,
        created_at=row.created_at,
    )


ROUTES: list[Any] = [mine, add, one, verify, remove]
