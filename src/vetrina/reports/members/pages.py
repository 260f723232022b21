"""Pages of members: search by metadata, saved searches, one member, CSV export."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect, Stream

from vetrina.accounts.roles.guards import operator
from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.errors import Refusal
from vetrina.core.web import csv, pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.reports import formatting
from vetrina.reports.members import actions, queries
from vetrina.reports.members import filters as members
from vetrina.reports.model import Filters, Key, Kind, Member, MemberSubscription, Search
from vetrina.web.i18n import say

PAGE_SIZE = 50
UNFOLDED_FILTERS = 6
"""Filters that are shown unfolded."""
MAX_CHOICES = 50
"""A key with more values than this gets a text field instead of a select."""


@get("/members", guards=[operator], include_in_schema=False)
async def search(request: Request, kind: str = "customers", cursor: str = "", explain: str = "") -> Response[str]:
    """Show the search page."""
    of = _kind(kind)
    pairs = request.query_params.multi_items()
    try:
        filters, refused = members.parse_filters(pairs, of), None
    except Refusal as error:
        filters, refused = Filters(), error
    async with request.tx() as tx:
        await actions.count_metadata(tx)
        rows = await members.search(tx, of, filters, after=cursor[:255], limit=PAGE_SIZE + 1)
        count = await members.count(tx, of, filters)
        plan = await members.explain(tx, of, filters) if explain else []
    async with request.read() as tx:
        keys = await tx.fetch_all(queries.KEYS, kind=None)
        saved = await tx.fetch_all(queries.SEARCHES, account=request.account.id)
    page: Page[Member | MemberSubscription] = paging.split(rows, PAGE_SIZE, lambda row: row.id)
    query = [("kind", kind)] * (of != "customers") + members.to_query(filters)
    return pages.render(
        request,
        "reports/members/members.html",
        refusal=refused,
        nav="operator",
        kind=of,
        q=filters.q,
        rows=[_table_row(row) for row in page.items],
        count=count,
        more_than=count >= members.COUNT_LIMIT,
        chips=[
            {
                "title": f"{name.partition('metadata.')[2] or name}: {value}",
                "href": _search_path([pair for pair in query if pair != (name, value)]),
            }
            for name, value in members.to_query(filters)
        ],
        filters=_fields(keys, of, filters),
        searches=[_saved_search(row) for row in saved],
        hidden=members.to_query(filters),
        refused=refused.message if refused else None,
        plan=plan,
        plan_href=_search_path([*query, ("explain", "1")]),
        csv_href="/members.csv" + (f"?{urlencode(query)}" if query else ""),
        older=_search_path([*query, ("cursor", page.next_cursor)]) if page.next_cursor else None,
    )


@get("/members.csv", guards=[operator], include_in_schema=False)
async def search_csv(request: Request, kind: str = "customers") -> Stream:
    """Stream all matches as CSV, with a column for each metadata key."""
    of = _kind(kind)
    filters = members.parse_filters(request.query_params.multi_items(), of)

    async def lines() -> AsyncGenerator[str]:
        async for rows in members.csv_rows(request.services.db, of, filters):
            yield csv.lines([[csv.harmless(cell) for cell in row] for row in rows])

    return Stream(
        lines(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{of}.csv"', "Cache-Control": "no-store"},
    )


@post("/members/searches", guards=[operator], include_in_schema=False)
async def save_search(request: Request, data: Form) -> Redirect:
    """Save the search that the page shows."""
    of = _kind(data.get("kind", ""))
    pairs = [(name, value) for name, value in data.items() if name not in {"kind", "name"}]
    try:
        filters = members.parse_filters(pairs, of)
        async with request.tx() as tx:
            saved = await actions.save_search(tx, request.account.id, data.get("name", ""), of, filters)
    except Refusal as refused:
        return pages.redirect(_search_path([("kind", of), *pairs]), flash=("bad", refused.message))
    return pages.redirect(_saved_search(saved)["href"], flash=("good", say("Saved as {name}.", name=saved.name)))


@post("/members/searches/{search_id:uuid}/removal", guards=[operator], include_in_schema=False)
async def delete_search(request: Request, search_id: UUID) -> Redirect:
    """Delete a saved search."""
    async with request.tx() as tx:
        await actions.delete_search(tx, request.account.id, search_id)
    return pages.redirect("/members", flash=("good", say("Search deleted.")))


@get("/members/{customer_id:str}", guards=[operator], include_in_schema=False)
async def member(request: Request, customer_id: str) -> Response[str]:
    """Show a member with subscriptions and latest invoices."""
    async with request.read() as tx:
        customer = await tx.fetch_one(queries.MEMBER, id=customer_id)
        subscriptions = await tx.fetch_all(queries.MEMBER_SUBSCRIPTIONS, id=customer_id)
        invoices = await tx.fetch_all(queries.MEMBER_INVOICES, id=customer_id)
    return pages.render(
        request,
        "reports/members/member.html",
        nav="operator",
        member=customer,
        address=", ".join(str(line) for line in (customer.address or {}).values() if line),
        subscriptions=[{"row": row, "monthly": formatting.money(row.monthly, row.currency or "xxx")} for row in subscriptions],
        invoices=[{"row": row, "total": formatting.money(row.total or 0, row.currency or "xxx")} for row in invoices],
    )


def _kind(text: str) -> Kind:
    return "subscriptions" if text == "subscriptions" else "customers"


def _search_path(pairs: list[tuple[str, str]]) -> str:
    return f"/members?{urlencode(pairs)}" if pairs else "/members"


def _saved_search(search: Search) -> dict[str, Any]:
    stored = search.filters
    filters = Filters(stored.get("q", ""), stored.get("metadata", {}), stored.get("subscription", {}))
    return {
        "id": search.id,
        "name": search.name,
        "href": _search_path([("kind", search.kind), *members.to_query(filters)]),
    }


def _table_row(row: Member | MemberSubscription) -> dict[str, Any]:
    metadata = sorted(row.metadata.items())
    if isinstance(row, Member):
        monthly = " + ".join(formatting.money(n, currency) for currency, n in sorted(row.monthly.items()))
        about = "1 subscription" if row.subscriptions == 1 else f"{row.subscriptions} subscriptions"
        title, customer = row.name or row.email or row.id, row.id
    else:
        monthly = formatting.money(row.monthly, row.currency or "xxx") if row.monthly else ""
        about = " · ".join(text for text in (row.product, row.status) if text)
        title, customer = row.name or row.email or row.customer_id or row.id, row.customer_id
    return {
        "href": f"/members/{customer}" if customer else None,
        "title": title,
        "id": row.id,
        "email": row.email if row.email != title else None,
        "about": about,
        "monthly": monthly,
        "metadata": metadata,
    }


def _fields(keys: list[Key], of: Kind, filters: Filters) -> dict[str, list[dict[str, Any]]]:
    """Return a form field for each key: unfolded ones first, those in use before the others."""
    prefixes = {of: (members.METADATA, filters.metadata)}
    if of == "customers":
        prefixes["subscriptions"] = (members.SUBSCRIPTION, filters.subscription)
    fields: list[dict[str, Any]] = []
    for key in keys:
        if key.kind not in prefixes:
            continue
        prefix, values = prefixes[key.kind]
        value = values.get(key.key, "")
        choices = [{"value": item["value"], "title": f"{item['value']} ({item['count']:,})"} for item in key.commonest]
        listed = 0 < key.distinct_values <= MAX_CHOICES and len(choices) == key.distinct_values
        if value and value not in {choice["value"] for choice in choices}:
            choices.append({"value": value, "title": value})
        of_subscription = prefix == members.SUBSCRIPTION
        fields.append(
            {
                "name": prefix + key.key,
                "title": f"{key.key} (subscription)" if of_subscription else key.key,
                "value": value,
                "choices": choices if listed else None,
                "holders": key.holders,
                "in_use": bool(value),
            }
        )
    fields.sort(key=lambda field: (not field["in_use"], field["choices"] is None))
    return {"open": fields[:UNFOLDED_FILTERS], "folded": fields[UNFOLDED_FILTERS:]}


ROUTES: list[Any] = [search, search_csv, save_search, delete_search, member]
