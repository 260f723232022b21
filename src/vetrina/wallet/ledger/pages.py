"""Pages of the wallet: balances, ledger entries and their CSV export."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from enum import StrEnum
from itertools import groupby
from typing import Any, TypeVar
from urllib.parse import urlencode

from litestar import Response, get
from litestar.response import Stream

from vetrina.core.database.ids import AccountId
from vetrina.core.module import LedgerSubject
from vetrina.core.services import Services
from vetrina.core.web import csv as spreadsheet
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.wallet import labels, queries
from vetrina.wallet.ledger import actions
from vetrina.wallet.ledger import labels as entry_labels
from vetrina.wallet.model import Asset, Balance, Entry, Kind
from vetrina.web.i18n import say

Choice = TypeVar("Choice", bound=StrEnum)

PAGE = 50
CHUNK = 1000
"""Entries per read of the CSV export, so that a slow client holds no database connection."""
COLUMNS = ["time", "what", "asset", "kind", "quantity", "balance_after", "subject", "id"]


@get("/wallet", guards=[signed_in], include_in_schema=False)
async def wallet(request: Request, cursor: Cursor = None, asset: str = "", kind: str = "") -> Response[str]:
    """Render balances and ledger entries with the running balance."""
    asset_filter, kind_filter = _member(Asset, asset), _member(Kind, kind)
    subjects, buy = request.services.modules.ledger_subjects, request.services.modules.link("buy_credits")
    spends = request.services.modules.spends
    async with request.read() as tx:
        balances = await tx.fetch_all(queries.BALANCES, account=request.account.id)
        page = await actions.entries(tx, request.account.id, subjects, cursor, PAGE, asset=asset_filter, kind=kind_filter)
    filters = {name: value.value for name, value in (("asset", asset_filter), ("kind", kind_filter)) if value}
    return pages.render(
        request,
        "wallet/ledger/wallet.html",
        nav="wallet",
        balances=[_balance_card(item, buy) for item in balances if item.asset in spends or item.balance or item.held],
        entries=lines(page.items, subjects),
        assets=[{"value": str(name), "title": say(title)} for name, (title, _) in labels.ASSETS.items()],
        kinds=[{"value": str(name), "title": say(title)} for name, title in entry_labels.KINDS.items()],
        asset=filters.get("asset", ""),
        kind=filters.get("kind", ""),
        older=page.older("/wallet", filters),
        csv_href=_address("/wallet/entries.csv", filters),
    )


@get("/wallet/entries.csv", guards=[signed_in], include_in_schema=False)
async def entries_csv(request: Request, asset: str = "", kind: str = "") -> Stream:
    """Stream every entry that matches the filter, newest first, as CSV."""
    asset_filter, kind_filter = _member(Asset, asset), _member(Kind, kind)
    return Stream(
        _csv(request.services, request.account.id, asset_filter, kind_filter),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": 'attachment; filename="wallet.csv"', "Cache-Control": "no-store"},
    )


async def _csv(services: Services, account: AccountId, asset: Asset | None, kind: Kind | None) -> AsyncGenerator[str]:
    """Yield the CSV in chunks. Entries added meanwhile are newer than the first chunk and left out."""
    yield spreadsheet.lines([COLUMNS])
    cursor, subjects = None, services.modules.ledger_subjects
    while True:
        async with services.db.read() as tx:
            page = await actions.entries(tx, account, subjects, cursor, CHUNK, asset=asset, kind=kind)
        if page.items:
            yield spreadsheet.lines([_cells(row, subjects) for row in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return


def _cells(row: Entry, subjects: tuple[LedgerSubject, ...]) -> list[str]:
    texts = [row.created_at.isoformat(), entry_labels.title(row, subjects), row.asset, row.kind]
    figures = [str(row.quantity), str(row.balance_after)]
    return [*map(spreadsheet.harmless, texts), *figures, spreadsheet.harmless(row.subject), str(row.id)]


def lines(rows: list[Entry], subjects: tuple[LedgerSubject, ...]) -> list[dict[str, Any]]:
    """Return the lines of a page: entries of one hold or adjustment are one line."""
    return [_line(group, subjects) for group in _grouped(rows)]


def _grouped(rows: list[Entry]) -> list[list[Entry]]:
    """Group the entries of one hold or adjustment: one on two grants is two entries."""
    return [list(group) for _, group in groupby(rows, key=_act)]


def _act(row: Entry) -> tuple[object, str]:
    return (row.subject if row.kind == Kind.ADJUSTMENT else row.hold_id or row.id, row.kind)


def _line(rows: list[Entry], subjects: tuple[LedgerSubject, ...]) -> dict[str, Any]:
    row = rows[0]
    return {
        "at": row.created_at,
        "title": entry_labels.title(row, subjects),
        "href": entry_labels.href(row, subjects),
        "asset": row.asset,
        "asset_title": say(labels.ASSETS[row.asset][0]),
        "quantity": sum(item.quantity for item in rows),
        "running": row.balance_after,
    }


def _balance_card(row: Balance, buy: str | None) -> dict[str, Any]:
    title, about = map(say, labels.ASSETS[row.asset])
    expiring = {"quantity": row.expiring_quantity, "at": row.expiring_at} if row.expiring_quantity else None
    return {
        "asset": row.asset,
        "title": title,
        "about": about,
        "balance": row.balance,
        "held": row.held,
        "expiring": expiring,
        "buy_href": buy if row.asset == Asset.TOKEN else None,
    }


def _member(choices: type[Choice], value: str) -> Choice | None:
    """Return the enum member that a query parameter names; None for any other value."""
    return choices(value) if value in {choice.value for choice in choices} else None


def _address(path: str, query: dict[str, Any]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


ROUTES: list[Any] = [wallet, entries_csv]
