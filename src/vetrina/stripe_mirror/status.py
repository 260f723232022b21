"""Status of the mirror, and its output in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from vetrina.core.services import Services
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.backfill import list_reader
from vetrina.stripe_mirror.backfill.actions import BackfillResult
from vetrina.stripe_mirror.consistency.rebuild import ComparisonResult
from vetrina.stripe_mirror.ingest.tie_resolution import ResolutionResult
from vetrina.stripe_mirror.model import KindStatus, Lag, ListRun, ThinEvents
from vetrina.stripe_mirror.object_types import EVENTS, KINDS


class Status(msgspec.Struct, frozen=True):
    """The result of `vetrina stripe status`."""

    webhook_secrets: int
    api_key: bool
    lag: Lag
    kinds: list[KindStatus]
    list_runs: list[ListRun]
    thin_events: ThinEvents | None = None


async def status(services: Services) -> Status:
    """Return the current status of the mirror."""
    settings = services.settings
    async with services.db.read() as tx:
        return Status(
            sum(1 for item in settings.stripe_webhook_secret.split(",") if item.strip()),
            bool(settings.stripe_api_key),
            await tx.fetch_one(queries.LAG),
            await tx.fetch_all(queries.STATUS),
            [item for item in await tx.fetch_all(queries.LIST_RUNS) if item.kind in {*KINDS, EVENTS}],
            await tx.fetch_optional(queries.THIN_EVENTS),
        )


def print_status(result: Status) -> None:
    """Print the status."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    secrets = {0: "no webhook secret", 1: "one webhook secret"}.get(result.webhook_secrets, f"{result.webhook_secrets} secrets")
    console.print(f"{secrets}, {'an' if result.api_key else 'no'} API key", highlight=False)
    lag = result.lag
    if lag.last_at is None:
        console.print("No events yet.")
    else:
        console.print(
            f"{lag.events:,} events ({lag.unknown:,} of other kinds), last {lag.last_type} at "
            f"{lag.last_at:%Y-%m-%d %H:%M:%S}; delay {lag.median_seconds:.1f} s (median), {lag.worst_seconds:.1f} s (maximum).",
            highlight=False,
        )
    if (thin := result.thin_events) is not None:
        console.print(
            f"{thin.count:,} thin events refused, last {thin.last_type} at {thin.last_at:%Y-%m-%d %H:%M:%S}. Configure the "
            "event destination at Stripe to send snapshot events: thin ones contain no object.",
            highlight=False,
        )
    runs = {item.kind: item for item in result.list_runs}
    titles = ("kind", "rows", "deleted", "events", "last event", "unresolved", "last backfill")
    grid = Table(*(Column(title, no_wrap=True, justify="left" if title == "kind" else "right") for title in titles), box=None)
    for item in result.kinds:
        run = runs.get(item.kind)
        last_run = "" if run is None else f"{run.finished_at:%Y-%m-%d %H:%M}" if run.finished_at else "interrupted"
        unresolved = f"{item.unresolved:,}" + (f" ({item.failing:,} failing)" if item.failing else "")
        last_event = f"{item.last_event_at:%Y-%m-%d %H:%M}" if item.last_event_at else ""
        grid.add_row(item.kind, f"{item.rows:,}", f"{item.deleted:,}", f"{item.events:,}", last_event, unresolved, last_run)
    console.print(grid)
    for item in result.kinds:
        if item.last_error:
            console.print(f"{item.kind}: {item.last_error}", highlight=False)


def print_backfill(result: list[BackfillResult], resolved: ResolutionResult) -> None:
    """Print the result of a backfill."""
    for item in result:
        before = f" ({item.resumed:,} read before)" if item.resumed else ""
        print(f"{item.kind}: {item.fetched:,} read{before}, {item.changed:,} updated, {item.unresolved:,} unresolved")
    print(f"{resolved.fetched:,} fetched one by one, {resolved.deleted:,} of them deleted, {resolved.failed:,} failed")


def print_comparison(result: list[ComparisonResult]) -> None:
    """Print every difference, and their number by kind."""
    for kind in result:
        for item in kind.differences:
            print(f"{kind.kind} {item.id}: {item.what}")
            if item.expected is not None and item.found is not None:
                for name in item.expected:
                    print(f"  {name}: {_short(item.expected[name])} expected, {_short(item.found[name])} found")
    for kind in result:
        repaired = f", {kind.repaired:,} repaired" if kind.repaired else ""
        print(f"{kind.kind}: {kind.listed:,} listed, {len(kind.differences):,} differences{repaired}")


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table with column titles."""
    if not rows:
        print("None.")
        return
    grid = Table(*rows[0])
    for row in rows:
        grid.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(grid)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="dim")


@contextmanager
def list_progress(title: str) -> Generator[list_reader.OnProgress]:
    """Show a progress bar for each kind on stderr; the total is an estimate that improves while reading."""
    bars = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), _Rate(), TimeRemainingColumn(),
        console=Console(file=sys.stderr), speed_estimate_period=10,
    )  # fmt: skip
    tasks: dict[str, Any] = {}
    with bars:

        def on_progress(state: list_reader.Progress) -> None:
            if state.kind not in tasks:
                tasks[state.kind] = bars.add_task(f"{title} {state.kind}")
            bars.update(tasks[state.kind], completed=state.fetched, total=max(state.expected, state.fetched, 1))

        yield on_progress


@contextmanager
def progress_bar(title: str, total: int) -> Generator[Callable[[int], None]]:
    """Show one progress bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:
        task = bars.add_task(title, total=total)
        yield lambda done: bars.update(task, completed=done)


def _short(value: Any) -> str:
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"
