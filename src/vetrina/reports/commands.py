"""`vetrina report`: the reports, and the proof that they follow from the history."""

from __future__ import annotations

import asyncio
import csv as sheets
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cyclopts import App
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from vetrina.core import logs, settings
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.database.connection import Database
from vetrina.core.errors import Refusal
from vetrina.core.settings import Settings
from vetrina.reports import actions
from vetrina.reports import formatting as tell
from vetrina.reports.actions import Figures
from vetrina.reports.catalogue import REPORTS, named
from vetrina.reports.model import Difference

app = App(name="report", help="Reports on what Stripe holds, as of any date; without a name, which there are.")


@app.default
def report(name: str = "", *, as_of: str = "", months: int = 0, json: bool = False, csv: bool = False) -> int:
    """Print a report as it stood at the end of a day.

    Parameters
    ----------
    name
        Which report; without one, the names.
    as_of
        The day, as 2026-03-31 (UTC); today by default.
    months
        How many months it tells; what the report is made for by default.
    json
        Print the result as JSON.
    csv
        Print the rows as CSV.
    """
    found = settings.read()
    logs.configure(found.log_format, "report")
    if not name:
        for each in REPORTS.values():
            print(f"{each.name:15}{each.title}")
        return exits.OK
    try:
        named(name)
        figures = asyncio.run(_figures(found, name, as_of, months))
    except Refusal as refused:
        print(f"vetrina: {refused.message}", file=sys.stderr)
        return exits.USAGE
    if json:
        output.as_json(figures)
    elif csv:
        sheets.writer(sys.stdout).writerows(tell.sheet(figures))
    else:
        _print(figures)
    return exits.OK


@app.command
def prove(*, json: bool = False) -> int:
    """Work out from the whole history what the reports stand on, and compare. Exit code 1 if they differ.

    Parameters
    ----------
    json
        Print the result as JSON.
    """
    found = settings.read()
    logs.configure(found.log_format, "report prove")
    wrong = asyncio.run(_prove(found))
    if json:
        output.as_json({"clean": not wrong, "differences": wrong})
    elif not wrong:
        print("The reports follow from the history: every state is as the events give it.")
    for each in [] if json else wrong:
        state = f"{each.id} from {each.since:%Y-%m-%d %H:%M:%S}: {each.what}, {each.amount} a month"
        print(f"{state} {'is kept, but does not follow' if each.kept else 'follows, but is not kept'}")
    return exits.FAILED if wrong else exits.OK


@app.command
def rebuild() -> int:
    """Work out anew, from the whole history, what the reports stand on."""
    found = settings.read()
    logs.configure(found.log_format, "report rebuild")
    asyncio.run(_rebuild(found))
    print("Worked out anew.")
    return exits.OK


@asynccontextmanager
async def _database(found: Settings) -> AsyncGenerator[Database]:
    async with reaching(found) as access:
        db = Database(access.app, size=2, name="vetrina report")
        await db.open()
        try:
            yield db
        finally:
            await db.close()


async def _figures(found: Settings, name: str, as_of: str, months: int) -> Figures:
    async with _database(found) as db:
        return await actions.figures(db, name, as_of=actions.day(as_of), months=months or None)


async def _prove(found: Settings) -> list[Difference]:
    async with _database(found) as db:
        return await actions.prove(db)


async def _rebuild(found: Settings) -> None:
    async with _database(found) as db:
        await actions.follow(db, anew=True)


def _print(figures: Figures) -> None:
    console = Console()
    console.print(f"[bold]{figures.title}[/bold] as of {figures.as_of:%d %b %Y}", highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in figures.columns:
        table.add_column(column.title, justify="left" if column.unit in tell.WORDS else "right", no_wrap=True)
    for row in figures.rows:
        table.add_row(*(tell.cell(row, column) for column in figures.columns))
    if not figures.rows:
        console.print("Nothing in this time.")
        return
    # Figures are never cut short: what is wider than the terminal is for its own wrapping.
    wide = Measurement.get(console, console.options.update(width=1000), table).maximum
    Console(width=max(wide, console.width)).print(table)
