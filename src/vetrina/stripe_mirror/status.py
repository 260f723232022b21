"""How the mirror stands, for the terminal and for the operator's page."""

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
from vetrina.stripe_mirror.backfill import list_reader as sweep
from vetrina.stripe_mirror.backfill.actions import Filled
from vetrina.stripe_mirror.consistency.rebuild import Compared
from vetrina.stripe_mirror.ingest.tie_resolution import Settled
from vetrina.stripe_mirror.model import KindStatus, Lag, Reading, ThinEvents
from vetrina.stripe_mirror.object_types import EVENTS, KINDS


class Status(msgspec.Struct, frozen=True):
    """Everything that `vetrina stripe status` says."""

    webhook_secrets: int
    api_key: bool
    lag: Lag
    kinds: list[KindStatus]
    readings: list[Reading]
    thin_events: ThinEvents | None = None


async def status(services: Services) -> Status:
    """How the mirror stands now."""
    settings = services.settings
    async with services.db.read() as tx:
        return Status(
            sum(1 for each in settings.stripe_webhook_secret.split(",") if each.strip()),
            bool(settings.stripe_api_key),
            await tx.one(queries.LAG),
            await tx.all(queries.STATUS),
            [each for each in await tx.all(queries.READINGS) if each.kind in {*KINDS, EVENTS}],
            await tx.maybe(queries.THIN_EVENTS),
        )


def print_status(found: Status) -> None:
    """For the terminal."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    secrets = {0: "no webhook secret", 1: "one webhook secret"}.get(found.webhook_secrets, f"{found.webhook_secrets} secrets")
    console.print(f"{secrets}, {'an' if found.api_key else 'no'} API key", highlight=False)
    lag = found.lag
    if lag.last_at is None:
        console.print("No event has come yet.")
    else:
        console.print(
            f"{lag.events:,} events ({lag.unknown:,} of kinds that are not mirrored), the last {lag.last_type} of "
            f"{lag.last_at:%Y-%m-%d %H:%M:%S}; here after {lag.median_seconds:.1f} s, {lag.worst_seconds:.1f} s at worst.",
            highlight=False,
        )
    if (thin := found.thin_events) is not None:
        console.print(
            f"{thin.count:,} thin events were refused, the last {thin.last_type} of {thin.last_at:%Y-%m-%d %H:%M:%S}. Let the "
            "destination at Stripe send snapshot events: thin ones do not hold the object that they are about.",
            highlight=False,
        )
    read = {each.kind: each for each in found.readings}
    titles = ("kind", "rows", "deleted", "events", "last event", "in doubt", "list read")
    grid = Table(*(Column(title, no_wrap=True, justify="left" if title == "kind" else "right") for title in titles), box=None)
    for each in found.kinds:
        reading = read.get(each.kind)
        when = "" if reading is None else f"{reading.finished_at:%Y-%m-%d %H:%M}" if reading.finished_at else "cut short"
        doubt = f"{each.unsettled:,}" + (f" ({each.failing:,} failing)" if each.failing else "")
        last = f"{each.last_event_at:%Y-%m-%d %H:%M}" if each.last_event_at else ""
        grid.add_row(each.kind, f"{each.rows:,}", f"{each.deleted:,}", f"{each.events:,}", last, doubt, when)
    console.print(grid)
    for each in found.kinds:
        if each.last_error:
            console.print(f"{each.kind}: {each.last_error}", highlight=False)


def filled(found: list[Filled], settled: Settled) -> None:
    """What a backfill did."""
    for each in found:
        before = f" ({each.resumed:,} of them read before)" if each.resumed else ""
        print(f"{each.kind}: {each.fetched:,} read{before}, {each.changed:,} newer than here, {each.doubted:,} to ask for")
    print(f"{settled.fetched:,} asked for one by one, {settled.gone:,} of them deleted, {settled.failed:,} not to be had")


def compared(found: list[Compared]) -> None:
    """Every difference, and how many there are."""
    for kind in found:
        for each in kind.differences:
            print(f"{kind.kind} {each.id}: {each.what}")
            if each.expected is not None and each.found is not None:
                for name in each.expected:
                    print(f"  {name}: {_short(each.expected[name])} expected, {_short(each.found[name])} found")
    for kind in found:
        repaired = f", {kind.repaired:,} put right" if kind.repaired else ""
        print(f"{kind.kind}: {kind.listed:,} listed, {len(kind.differences):,} differences{repaired}")


def table(rows: list[dict[str, Any]]) -> None:
    """Rows with their names above."""
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
def progress(what: str) -> Generator[sweep.Tell]:
    """A bar for each kind on stderr, with rate and remaining time; how much there is, is a guess that becomes better."""
    bars = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), _Rate(), TimeRemainingColumn(),
        console=Console(file=sys.stderr), speed_estimate_period=10,
    )  # fmt: skip
    tasks: dict[str, Any] = {}
    with bars:

        def tell(now: sweep.Progress) -> None:
            if now.kind not in tasks:
                tasks[now.kind] = bars.add_task(f"{what} {now.kind}")
            bars.update(tasks[now.kind], completed=now.fetched, total=max(now.expected, now.fetched, 1))

        yield tell


@contextmanager
def counting(what: str, total: int) -> Generator[Callable[[int], None]]:
    """One bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.update(task, completed=done)


def _short(value: Any) -> str:
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"
