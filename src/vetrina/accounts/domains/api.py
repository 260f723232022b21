"""JSON routes of verified domains."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.accounts.domains import actions as domains
from vetrina.accounts.domains import queries
from vetrina.accounts.domains.model import DomainRow
from vetrina.core.database.paging import Page
from vetrina.core.database.records import to_record
from vetrina.core.web.request import Request, signed_in


class NewDomain(msgspec.Struct, forbid_unknown_fields=True):
    """Request to add a domain: its name, or a URL on it."""

    domain: Annotated[str, msgspec.Meta(max_length=300)]


class Record(msgspec.Struct):
    """The TXT record that verifies a domain."""

    name: str
    value: str
    type: str = "TXT"


class Domain(msgspec.Struct):
    """A domain. `status` is pending, verified or lost; `last_result` is found, missing, different or unreachable.

    `domain` is its ASCII form, `unicode_domain` the form to show.
    """

    id: UUID
    domain: str
    unicode_domain: str
    status: str
    record: Record
    verified_at: datetime | None
    checked_at: datetime | None
    last_result: str | None
    created_at: datetime


@get("/domains", guards=[signed_in], tags=["domains"])
async def list_domains(request: Request) -> Page[Domain]:
    """Return the account's domains, at most 20."""
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.DOMAINS, account=request.account.id)
    return Page([_response(row) for row in rows], None)


@post("/domains", guards=[signed_in], tags=["domains"])
async def add(request: Request, data: NewDomain) -> Domain:
    """Add a domain, to be verified by the TXT record in the response. 409 when it is listed already or there are 20."""
    async with request.tx() as tx:
        return _response(await domains.add(tx, request.account.id, data.domain))


@get("/domains/{domain_id:uuid}", guards=[signed_in], tags=["domains"])
async def get_domain(request: Request, domain_id: UUID) -> Domain:
    """Return one domain."""
    async with request.read() as tx:
        return _response(await tx.fetch_one(queries.DOMAIN, account=request.account.id, id=domain_id))


@post("/domains/{domain_id:uuid}/verification", guards=[signed_in], status_code=200, tags=["domains"])
async def verify(request: Request, domain_id: UUID) -> Domain:
    """Look up the record now. It is also looked up regularly: for three days, and daily once it is verified."""
    return _response(await domains.verify(request.services, request.account.id, domain_id))


@delete("/domains/{domain_id:uuid}", guards=[signed_in], tags=["domains"])
async def remove(request: Request, domain_id: UUID) -> None:
    """Remove a domain."""
    async with request.tx() as tx:
        await domains.remove(tx, request.account.id, domain_id)


def _response(row: DomainRow) -> Domain:
    return to_record(
        Domain,
        row,
        unicode_domain=domains.display_domain(row.domain),
        record=Record(*domains.txt_record(row)),
        last_result=row.answer,
    )


ROUTES: list[Any] = [list_domains, add, get_domain, verify, remove]
