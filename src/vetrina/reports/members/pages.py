"""Pages of members: filters made of the keys that exist, searches that are kept, one member, a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect, Stream

from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import Refusal
from vetrina.core.web import csv as spreadsheet
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.reports import formatting as tell
from vetrina.reports.members import actions, queries
from vetrina.reports.members import filters as members
from vetrina.reports.model import Filters, Key, Kind, Member, MemberSubscription, Search

SHOWN = 50
OPEN = 6
"""Filters that stand open; the rest is folded away."""
CHOICES = 50
"""A key with more values than this is a field to write in."""


@get("/members", guards=[operator], include_in_schema=False)
async def find(request: Request, kind: str = "customers", cursor: str = "", explain: str = "") -> Response[str]:
    """Members by what their metadata says."""
    of = _kind(kind)
    pairs = request.query_params.multi_items()
    try:
        filters, refused = members.filters_of(pairs, of), None
    except Refusal as error:
        filters, refused = Filters(), error.message
    async with request.tx() as tx:
        await actions.count_metadata(tx)
        rows = await members.find(tx, of, filters, after=cursor[:255], limit=SHOWN + 1)
        count = await members.count(tx, of, filters)
        plan = await members.plan(tx, of, filters) if explain else []
    async with request.read() as tx:
        keys = await tx.all(queries.KEYS, kind=None)
        kept = await tx.all(queries.SEARCHES, account=request.account.id)
    asked = [("kind", kind)] * (of != "customers") + members.pairs_of(filters)
    return pages.render(
        request,
        "reports/members/members.html",
        status=422 if refused else 200,
        nav="operator",
        kind=of,
        q=filters.q,
        rows=[_line(row) for row in rows[:SHOWN]],
        count=count,
        more_than=count >= members.MOST,
        chips=[
            {
                "title": f"{name.partition('metadata.')[2] or name}: {value}",
                "href": _address([pair for pair in asked if pair != (name, value)]),
            }
            for name, value in members.pairs_of(filters)
        ],
        filters=_fields(keys, of, filters),
        searches=[_kept(each) for each in kept],
        hidden=members.pairs_of(filters),
        refused=refused,
        plan=plan,
        plan_href=_address([*asked, ("explain", "1")]),
        csv_href="/members.csv" + (f"?{urlencode(asked)}" if asked else ""),
        older=_address([*asked, ("cursor", rows[SHOWN - 1].id)]) if len(rows) > SHOWN else None,
    )


@get("/members.csv", guards=[operator], include_in_schema=False)
async def find_csv(request: Request, kind: str = "customers") -> Stream:
    """All that fit, with a column for each key of metadata."""
    of = _kind(kind)
    filters = members.filters_of(request.query_params.multi_items(), of)

    async def lines() -> AsyncGenerator[str]:
        async for rows in members.sheet(request.services.db, of, filters):
            yield spreadsheet.lines([[spreadsheet.harmless(cell) for cell in row] for row in rows])

    return Stream(
        lines(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{of}.csv"', "Cache-Control": "no-store"},
    )


@post("/members/searches", guards=[operator], include_in_schema=False)
async def keep(request: Request, data: Form) -> Redirect:
    """Keep the search that the page shows."""
    of = _kind(data.get("kind", ""))
    pairs = [(name, value) for name, value in data.items() if name not in {"kind", "name"}]
    try:
        filters = members.filters_of(pairs, of)
        async with request.tx() as tx:
            kept = await actions.keep(tx, request.account.id, data.get("name", ""), of, filters)
    except Refusal as refused:
        return pages.go(_address([("kind", of), *pairs]), flash=("bad", refused.message))
    return pages.go(_kept(kept)["href"], flash=("good", f"Kept as {kept.name}."))


@post("/members/searches/{search_id:uuid}/removal", guards=[operator], include_in_schema=False)
async def drop(request: Request, search_id: UUID) -> Redirect:
    """Keep it no longer."""
    async with request.tx() as tx:
        await actions.drop(tx, request.account.id, search_id)
    return pages.go("/members", flash=("good", "It is no longer kept."))


@get("/members/{customer_id:str}", guards=[operator], include_in_schema=False)
async def one(request: Request, customer_id: str) -> Response[str]:
    """One member with subscriptions and the latest invoices."""
    async with request.read() as tx:
        found = await tx.one(queries.MEMBER, id=customer_id)
        theirs = await tx.all(queries.MEMBER_SUBSCRIPTIONS, id=customer_id)
        invoices = await tx.all(queries.MEMBER_INVOICES, id=customer_id)
    return pages.render(
        request,
        "reports/members/member.html",
        nav="operator",
        member=found,
        address=", ".join(str(each) for each in (found.address or {}).values() if each),
        subscriptions=[{"row": each, "monthly": tell.money(each.monthly, each.currency or "xxx")} for each in theirs],
        invoices=[{"row": each, "total": tell.money(each.total or 0, each.currency or "xxx")} for each in invoices],
    )


def _kind(text: str) -> Kind:
    return "subscriptions" if text == "subscriptions" else "customers"


def _address(pairs: list[tuple[str, str]]) -> str:
    return f"/members?{urlencode(pairs)}" if pairs else "/members"


def _kept(search: Search) -> dict[str, Any]:
    given = search.filters
    filters = Filters(given.get("q", ""), given.get("metadata", {}), given.get("subscription", {}))
    return {
        "id": search.id,
        "name": search.name,
        "href": _address([("kind", search.kind), *members.pairs_of(filters)]),
    }


def _line(row: Member | MemberSubscription) -> dict[str, Any]:
    said = sorted(row.metadata.items())
    if isinstance(row, Member):
        monthly = " + ".join(tell.money(n, currency) for currency, n in sorted(row.monthly.items()))
        about = "1 subscription" if row.subscriptions == 1 else f"{row.subscriptions} subscriptions"
        title, customer = row.name or row.email or row.id, row.id
    else:
        monthly = tell.money(row.monthly, row.currency or "xxx") if row.monthly else ""
        about = " · ".join(each for each in (row.product, row.status) if each)
        title, customer = row.name or row.email or row.customer_id or row.id, row.customer_id
    return {
        "href": f"/members/{customer}" if customer else None,
        "title": title,
        "id": row.id,
        "email": row.email if row.email != title else None,
        "about": about,
        "monthly": monthly,
        "metadata": said,
    }


def _fields(keys: list[Key], of: Kind, filters: Filters) -> dict[str, list[dict[str, Any]]]:
    """A field for each key: open ones first, what is asked for among them."""
    prefixes = {of: (members.METADATA, filters.metadata)}
    if of == "customers":
        prefixes["subscriptions"] = (members.SUBSCRIPTION, filters.subscription)
    found: list[dict[str, Any]] = []
    for key in keys:
        if key.kind not in prefixes:
            continue
        prefix, asked = prefixes[key.kind]
        value = asked.get(key.key, "")
        choices = [{"value": each["value"], "title": f"{each['value']} ({each['count']:,})"} for each in key.commonest]
        listed = 0 < key.distinct_values <= CHOICES and len(choices) == key.distinct_values
        if value and value not in {each["value"] for each in choices}:
            choices.append({"value": value, "title": value})
        of_subscription = prefix == members.SUBSCRIPTION
        found.append(
            {
                "name": prefix + key.key,
                "title": f"{key.key} of a subscription" if of_subscription else key.key,
                "value": value,
                "choices": choices if listed else None,
                "holders": key.holders,
                "asked": bool(value),
            }
        )
    found.sort(key=lambda each: (not each["asked"], each["choices"] is None))
    return {"open": found[:OPEN], "folded": found[OPEN:]}


ROUTES: list[Any] = [find, find_csv, keep, drop, one]
