"""JSON routes of reports and members, for operators."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import Body, Parameter

from vetrina.accounts.roles.guards import operator
from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.web.http.query_parameters import filters
from vetrina.core.web.paging import Limit
from vetrina.core.web.request import Request
from vetrina.reports import actions
from vetrina.reports.actions import Figures
from vetrina.reports.catalogue import REPORTS, Column
from vetrina.reports.members import actions as members_actions
from vetrina.reports.members import filters as members
from vetrina.reports.members import queries
from vetrina.reports.model import Filters, Key, Kind, Member, MemberDetail, MemberInvoice, MemberSubscription, Search

After = Annotated[str | None, Parameter(max_length=255, description="next_cursor of the previous page.")]
AsOf = Annotated[str | None, Parameter(description="The report at the end of this day (UTC); default: today.")]
Months = Annotated[int | None, Parameter(ge=1, le=actions.MONTHS, description="Number of months.")]


class ReportSummary(msgspec.Struct):
    """A report in the list of reports."""

    name: str
    title: str
    about: str
    columns: list[Column]


class MemberResponse(msgspec.Struct):
    """A customer with their subscriptions and latest invoices."""

    customer: MemberDetail
    subscriptions: list[MemberSubscription]
    invoices: list[MemberInvoice]


class NewSearch(msgspec.Struct):
    """A search to save; it replaces a search of the same name."""

    name: str
    filters: Filters
    kind: Kind = "customers"


@get("/reports", guards=[operator], tags=["reports"], sync_to_thread=False)
def reports() -> Page[ReportSummary]:
    """List the reports."""
    return Page([ReportSummary(row.name, row.title, row.about, row.columns) for row in REPORTS.values()], None)


@get("/reports/{name:str}", guards=[operator], tags=["reports"])
async def report(request: Request, name: str, as_of: AsOf = None, months: Months = None) -> Figures:
    """Return a report. Amounts are in minor units of the row's currency, shares are fractions of 1."""
    return await actions.figures(request.services.db, name, as_of=actions.parse_date(as_of), months=months)


@get("/members", guards=[operator], tags=["members"], opt=filters("metadata.", "subscription.metadata."))
async def customers(request: Request, limit: Limit = 50, cursor: After = None, q: str = "") -> Page[Member]:
    """List Stripe customers that match all filters `metadata.KEY=VALUE`.

    `subscription.metadata.KEY=VALUE` requires one subscription that matches all of these; `q` is an e-mail address or an
    id.
    """
    filters = members.parse_filters(request.query_params.multi_items(), "customers")
    async with request.tx() as tx:
        rows = await members.customers(tx, filters, after=cursor or "", limit=limit + 1)
    return paging.split(rows, limit, lambda row: row.id)


@get("/members/subscriptions", guards=[operator], tags=["members"], opt=filters("metadata.", "subscription.metadata."))
async def subscriptions(request: Request, limit: Limit = 50, cursor: After = None, q: str = "") -> Page[MemberSubscription]:
    """List subscriptions that match all filters `metadata.KEY=VALUE`. `q` is an id."""
    filters = members.parse_filters(request.query_params.multi_items(), "subscriptions")
    async with request.tx() as tx:
        rows = await members.subscriptions(tx, filters, after=cursor or "", limit=limit + 1)
    return paging.split(rows, limit, lambda row: row.id)


@get("/members/keys", guards=[operator], tags=["members"])
async def keys(request: Request, kind: Kind | None = None) -> Page[Key]:
    """List the metadata keys, the number of objects that have each, and their most frequent values."""
    async with request.tx() as tx:
        await members_actions.count_metadata(tx)
    async with request.read() as tx:
        return Page(await tx.fetch_all(queries.KEYS, kind=kind), None)


@get("/members/searches", guards=[operator], tags=["members"])
async def searches(request: Request) -> Page[Search]:
    """List the saved searches of the signed-in operator."""
    async with request.read() as tx:
        return Page(await tx.fetch_all(queries.SEARCHES, account=request.account.id), None)


@post("/members/searches", guards=[operator], tags=["members"])
async def save_search(request: Request, data: Annotated[NewSearch, Body()]) -> Search:
    """Save a search under a name."""
    filters = members.parse_filters(members.to_query(data.filters), data.kind)
    async with request.tx() as tx:
        return await members_actions.save_search(tx, request.account.id, data.name, data.kind, filters)


@delete("/members/searches/{search_id:uuid}", guards=[operator], tags=["members"])
async def delete_search(request: Request, search_id: UUID) -> None:
    """Delete a saved search."""
    async with request.tx() as tx:
        await members_actions.delete_search(tx, request.account.id, search_id)


@get("/members/{customer_id:str}", guards=[operator], tags=["members"])
async def member(request: Request, customer_id: str) -> MemberResponse:
    """Return a customer with their subscriptions and latest invoices."""
    async with request.read() as tx:
        customer = await tx.fetch_one(queries.MEMBER, id=customer_id)
        subscriptions = await tx.fetch_all(queries.MEMBER_SUBSCRIPTIONS, id=customer_id)
        return MemberResponse(customer, subscriptions, await tx.fetch_all(queries.MEMBER_INVOICES, id=customer_id))


ROUTES: list[Any] = [
    reports, report, customers, subscriptions, keys, searches, save_search, delete_search, member,
]  # fmt: skip
