"""JSON routes of reports and members; all of them are for operators."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import Body, Parameter

from vetrina.accounts.roles.guards import operator
from vetrina.core.web.paging import Limit, Page
from vetrina.core.web.request import Request
from vetrina.reports import actions
from vetrina.reports.actions import Figures
from vetrina.reports.catalogue import REPORTS, Column
from vetrina.reports.members import actions as members_actions
from vetrina.reports.members import filters as members
from vetrina.reports.members import queries
from vetrina.reports.model import Filters, Found, Key, Kind, Member, MemberInvoice, MemberSubscription, Search

After = Annotated[str | None, Parameter(max_length=255, description="next_cursor of the page before.")]
AsOf = Annotated[str | None, Parameter(description="The report as it stood at the end of this day (UTC); today by default.")]
Months = Annotated[int | None, Parameter(ge=1, le=actions.MONTHS, description="How many months it tells.")]


class Listed(msgspec.Struct):
    """A report that there is."""

    name: str
    title: str
    about: str
    columns: list[Column]


class Detail(msgspec.Struct):
    """A customer with what is theirs."""

    customer: Found
    subscriptions: list[MemberSubscription]
    invoices: list[MemberInvoice]


class NewSearch(msgspec.Struct):
    """A search to keep; one of the same name is replaced."""

    name: str
    filters: Filters
    kind: Kind = "customers"


@get("/reports", guards=[operator], tags=["reports"], sync_to_thread=False)
def reports() -> Page[Listed]:
    """The reports that there are."""
    return Page([Listed(each.name, each.title, each.about, each.columns) for each in REPORTS.values()], None)


@get("/reports/{name:str}", guards=[operator], tags=["reports"])
async def report(request: Request, name: str, as_of: AsOf = None, months: Months = None) -> Figures:
    """One report. Amounts are in minor units of the row's currency, shares of 1."""
    return await actions.figures(request.services.db, name, as_of=actions.day(as_of), months=months)


@get("/members", guards=[operator], tags=["members"])
async def customers(request: Request, limit: Limit = 50, cursor: After = None, q: str = "") -> Page[Member]:
    """Customers of Stripe's by their metadata: `metadata.KEY=VALUE`, as often as needed; all must fit.

    `subscription.metadata.KEY=VALUE` asks for a subscription of theirs that has all of these; `q` is an e-mail address or an id.
    """
    filters = members.filters_of(request.query_params.multi_items(), "customers")
    async with request.tx() as tx:
        rows = await members.customers(tx, filters, after=cursor or "", limit=limit + 1)
    return _page(rows, limit)


@get("/members/subscriptions", guards=[operator], tags=["members"])
async def subscriptions(request: Request, limit: Limit = 50, cursor: After = None, q: str = "") -> Page[MemberSubscription]:
    """Subscriptions by their own metadata: `metadata.KEY=VALUE`, as often as needed. `q` is an id."""
    filters = members.filters_of(request.query_params.multi_items(), "subscriptions")
    async with request.tx() as tx:
        rows = await members.subscriptions(tx, filters, after=cursor or "", limit=limit + 1)
    return _page(rows, limit)


@get("/members/keys", guards=[operator], tags=["members"])
async def keys(request: Request, kind: Kind | None = None) -> Page[Key]:
    """The keys that exist in metadata, how many have each, and its commonest values."""
    async with request.tx() as tx:
        await members_actions.count_metadata(tx)
    async with request.read() as tx:
        return Page(await tx.all(queries.KEYS, kind=kind), None)


@get("/members/searches", guards=[operator], tags=["members"])
async def searches(request: Request) -> Page[Search]:
    """The searches that one keeps."""
    async with request.read() as tx:
        return Page(await tx.all(queries.SEARCHES, account=request.account.id), None)


@post("/members/searches", guards=[operator], tags=["members"])
async def keep_search(request: Request, data: Annotated[NewSearch, Body()]) -> Search:
    """Keep a search under a name."""
    filters = members.filters_of(members.pairs_of(data.filters), data.kind)
    async with request.tx() as tx:
        return await members_actions.keep(tx, request.account.id, data.name, data.kind, filters)


@delete("/members/searches/{search_id:uuid}", guards=[operator], tags=["members"])
async def drop_search(request: Request, search_id: UUID) -> None:
    """Keep it no longer."""
    async with request.tx() as tx:
        await members_actions.drop(tx, request.account.id, search_id)


@get("/members/{customer_id:str}", guards=[operator], tags=["members"])
async def member(request: Request, customer_id: str) -> Detail:
    """One customer with subscriptions and the latest invoices."""
    async with request.read() as tx:
        found = await tx.one(queries.MEMBER, id=customer_id)
        theirs = await tx.all(queries.MEMBER_SUBSCRIPTIONS, id=customer_id)
        return Detail(found, theirs, await tx.all(queries.MEMBER_INVOICES, id=customer_id))


def _page(rows: list[Any], limit: int) -> Page[Any]:
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


ROUTES: list[Any] = [
    reports, report, customers, subscriptions, keys, searches, keep_search, drop_search, member,
]  # fmt: skip
