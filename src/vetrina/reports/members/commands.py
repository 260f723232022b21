"""`vetrina members`: search members by metadata."""

from __future__ import annotations

import asyncio
import csv as csv_format
import sys
from typing import Literal

from rich.console import Console
from rich.table import Table

from vetrina.core.command_line import exit_codes, logs, output
from vetrina.core.command_line.database_access import doing, reaching
from vetrina.core.database.connection import Database
from vetrina.core.errors import Refusal
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings
from vetrina.reports.members import filters as members_filters
from vetrina.reports.model import Filters, Kind, Member, MemberSubscription
from vetrina.web import formatting


def members(
    *terms: str,
    subscription: list[str] | None = None,
    of: Literal["customers", "subscriptions"] = "customers",
    q: str = "",
    limit: int = 50,
    explain: bool = False,
    json: bool = False,
    csv: bool = False,
) -> int:
    """List members whose metadata matches, such as membership_type=Adult.

    Args:
        terms: KEY=VALUE in the customer's metadata (with --of subscriptions: in the subscription's).
        subscription: KEY=VALUE in the metadata of one of the customer's subscriptions.
        of: List customers or subscriptions.
        q: A Stripe id or an e-mail address.
        limit: Number of rows; --csv prints all.
        explain: Print the PostgreSQL query plan instead of the rows.
        json: Print the result as JSON.
        csv: Print all rows as CSV.
    """
    config = settings.read()
    logs.configure(config.log_format, "members")
    pairs = [("q", q), *_pairs(terms, members_filters.METADATA), *_pairs(subscription or (), members_filters.SUBSCRIPTION)]
    try:
        filters = members_filters.parse_filters(pairs, of)
    except Refusal as refused:
        print(f"vetrina: {refused.message}", file=sys.stderr)
        return exit_codes.USAGE
    if explain:
        for line in asyncio.run(doing(config, lambda tx: members_filters.explain(tx, of, filters, limit=limit))):
            print(line)
    elif csv:
        asyncio.run(_csv(config, of, filters))
    else:
        rows = asyncio.run(doing(config, lambda tx: members_filters.search(tx, of, filters, limit=limit)))
        output.as_json(rows) if json else _print(rows)
    return exit_codes.OK


def _pairs(terms: tuple[str, ...] | list[str], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for term in terms:
        key, _, value = term.partition("=")
        pairs.append((prefix + key, value))
    return pairs


async def _csv(config: Settings, of: Kind, filters: Filters) -> None:
    writer = csv_format.writer(sys.stdout)
    async with reaching(config) as access:
        db = Database(access.app, size=2, name="vetrina members")
        await db.open()
        try:
            async for rows in members_filters.csv_rows(db, of, filters):
                writer.writerows(rows)
        finally:
            await db.close()


def _print(rows: list[Member] | list[MemberSubscription]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("Id", "E-mail", "Name", "Monthly", "Metadata"):
        table.add_column(title, overflow="fold")
    for row in rows:
        if isinstance(row, Member):
            monthly = ", ".join(formatting.money(n, currency.upper()) for currency, n in sorted(row.monthly.items()))
        else:
            monthly = formatting.money(row.monthly, (row.currency or "xxx").upper())
        metadata = ", ".join(f"{key}={value}" for key, value in row.metadata.items())
        table.add_row(row.id, row.email or "", row.name or "", monthly, metadata)
    Console().print(table)
    print(f"{len(rows)} listed.")
