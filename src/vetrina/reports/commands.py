"""`vetrina report`: print reports, verify and rebuild the derived states."""

from __future__ import annotations

import asyncio
import csv as csv_format
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cyclopts import App
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from vetrina.core.command_line import exit_codes, logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.database.connection import Database
from vetrina.core.errors import Refusal
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings
from vetrina.reports import actions, formatting
from vetrina.reports.actions import Figures
from vetrina.reports.catalogue import REPORTS, get_report
from vetrina.reports.model import Difference

app = App(name="report", help="Print reports from the Stripe mirror as of any date; without a name, list them.")


@app.default
def report(name: str = "", *, as_of: str = "", months: int = 0, json: bool = False, csv: bool = False) -> int:
    """Print a report at the end of a day.

    Args:
        name: Name of the report; without it, the names are listed.
        as_of: Date (UTC) such as 2026-03-31; default: today.
        months: Number of months; the default depends on the report.
        json: Print the result as JSON.
        csv: Print the rows as CSV.
    """
    config = settings.read()
    logs.configure(config.log_format, "report")
    if not name:
        for item in REPORTS.values():
            print(f"{item.name:15}{item.title}")
        return exit_codes.OK
    try:
        get_report(name)
        figures = asyncio.run(_figures(config, name, as_of, months))
    except Refusal as refused:
        print(f"vetrina: {refused.message}", file=sys.stderr)
        return exit_codes.USAGE
    if json:
        output.as_json(figures)
    elif csv:
        csv_format.writer(sys.stdout).writerows(formatting.to_csv(figures))
    else:
        _print(figures)
    return exit_codes.OK


@app.command(name="prove")
def verify(*, json: bool = False) -> int:
    """Compare the reports' derived states with the whole history. Exit code 1 if they differ.

    Args:
        json: Print the result as JSON.
    """
    config = settings.read()
    logs.configure(config.log_format, "report prove")
    differences = asyncio.run(_verify(config))
    if json:
        output.as_json({"clean": not differences, "differences": differences})
    elif not differences:
        print("Verified: every stored state equals the one computed from the history.")
    for row in [] if json else differences:
        state = f"{row.id} from {row.since:%Y-%m-%d %H:%M:%S}: {row.what}, {row.amount} a month"
        print(f"{state} {'is stored, but not computed' if row.kept else 'is computed, but not stored'}")
    return exit_codes.FAILED if differences else exit_codes.OK


@app.command
def rebuild() -> int:
    """Compute the reports' derived states from the whole history again."""
    config = settings.read()
    logs.configure(config.log_format, "report rebuild")
    asyncio.run(_rebuild(config))
    print("The derived states were computed again.")
    return exit_codes.OK


@asynccontextmanager
async def _database(config: Settings) -> AsyncGenerator[Database]:
    async with reaching(config) as access:
        db = Database(access.app, size=2, name="vetrina report")
        await db.open()
        try:
            yield db
        finally:
            await db.close()


async def _figures(config: Settings, name: str, as_of: str, months: int) -> Figures:
    async with _database(config) as db:
        return await actions.figures(db, name, as_of=actions.parse_date(as_of), months=months or None)


async def _verify(config: Settings) -> list[Difference]:
    async with _database(config) as db:
        return await actions.verify(db)


async def _rebuild(config: Settings) -> None:
    async with _database(config) as db:
        await actions.refresh(db, rebuild=True)


def _print(figures: Figures) -> None:
    console = Console()
    console.print(f"[bold]{figures.title}[/bold] as of {figures.as_of:%d %b %Y}", highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in figures.columns:
        table.add_column(column.title, justify="left" if column.unit in formatting.LEFT_ALIGNED else "right", no_wrap=True)
    for row in figures.rows:
        table.add_row(*(formatting.cell(row, column) for column in figures.columns))
    if not figures.rows:
        console.print("No data for this period.")
        return
    # Figures are never truncated: a table wider than the terminal is wrapped by the terminal.
    width = Measurement.get(console, console.options.update(width=1000), table).maximum
    Console(width=max(width, console.width)).print(table)
