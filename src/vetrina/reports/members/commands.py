"""`vetrina members`: members by their metadata."""

from __future__ import annotations

import asyncio
import csv as sheets
import sys
from typing import Literal

from rich.console import Console
from rich.table import Table

from vetrina.core import logs, settings
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import output
from vetrina.core.command_line.database_access import doing, reaching
from vetrina.core.database.connection import Database
from vetrina.core.errors import Refusal
from vetrina.core.settings import Settings
from vetrina.reports.members import filters as finding
from vetrina.reports.model import Filters, Kind, Member, MemberSubscription
from vetrina.web import formatting as words


def members(
    *wanted: str,
    subscription: list[str] | None = None,
    of: Literal["customers", "subscriptions"] = "customers",
    q: str = "",
    limit: int = 50,
    explain: bool = False,
    json: bool = False,
    csv: bool = False,
) -> int:
    """List members whose metadata has these values, such as membership_type=Adult.

    Parameters
    ----------
    wanted
        KEY=VALUE of the metadata of the customer (or of the subscription, with --of subscriptions).
    subscription
        KEY=VALUE of the metadata of a subscription that the customer has.
    of
        Whether customers or subscriptions are listed.
    q
        An e-mail address or an id of Stripe's.
    limit
        How many to list; --csv lists all.
    explain
        Show how PostgreSQL goes about it, instead of what it finds.
    json
        Print the result as JSON.
    csv
        Print all of them as CSV.
    """
    found = settings.read()
    logs.configure(found.log_format, "members")
    pairs = [("q", q), *_pairs(wanted, finding.METADATA), *_pairs(subscription or (), finding.SUBSCRIPTION)]
    try:
        filters = finding.filters_of(pairs, of)
    except Refusal as refused:
        print(f"vetrina: {refused.message}", file=sys.stderr)
        return exits.USAGE
    if explain:
        for line in asyncio.run(doing(found, lambda tx: finding.plan(tx, of, filters, limit=limit))):
            print(line)
    elif csv:
        asyncio.run(_csv(found, of, filters))
    else:
        rows = asyncio.run(doing(found, lambda tx: finding.find(tx, of, filters, limit=limit)))
        output.as_json(rows) if json else _print(rows)
    return exits.OK


def _pairs(given: tuple[str, ...] | list[str], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in given:
        key, _, value = each.partition("=")
        found.append((prefix + key, value))
    return found


async def _csv(found: Settings, of: Kind, filters: Filters) -> None:
    writer = sheets.writer(sys.stdout)
    async with reaching(found) as access:
        db = Database(access.app, size=2, name="vetrina members")
        await db.open()
        try:
            async for rows in finding.sheet(db, of, filters):
                writer.writerows(rows)
        finally:
            await db.close()


def _print(rows: list[Member] | list[MemberSubscription]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("Id", "E-mail", "Name", "A month", "Metadata"):
        table.add_column(title, overflow="fold")
    for row in rows:
        if isinstance(row, Member):
            monthly = ", ".join(words.money(n, currency.upper()) for currency, n in sorted(row.monthly.items()))
        else:
            monthly = words.money(row.monthly, (row.currency or "xxx").upper())
        said = ", ".join(f"{key}={value}" for key, value in row.metadata.items())
        table.add_row(row.id, row.email or "", row.name or "", monthly, said)
    Console().print(table)
    print(f"{len(rows)} listed.")
