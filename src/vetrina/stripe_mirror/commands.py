"""`vetrina stripe`: backfill, verify and inspect the Stripe mirror, link customers to accounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from cyclopts import App

from vetrina.core.command_line import exit_codes, logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.errors import Invalid
from vetrina.core.services import Services, connect
from vetrina.core.settings import environment as settings
from vetrina.stripe_mirror import status as mirror_status
from vetrina.stripe_mirror.backfill import actions as backfill_actions
from vetrina.stripe_mirror.client import AT_ONCE
from vetrina.stripe_mirror.consistency import order_test, rebuild
from vetrina.stripe_mirror.ingest import tie_resolution
from vetrina.stripe_mirror.links import actions as links
from vetrina.stripe_mirror.links import queries as link_queries
from vetrina.stripe_mirror.object_types import kinds_named

app = App(name="stripe", help="Backfill, verify and inspect the Stripe mirror; link customers to accounts.")
Result = TypeVar("Result")


@app.command
def backfill(*kinds: str, since: str | None = None, fresh: bool = False, at_once: int = AT_ONCE, json: bool = False) -> int:
    """PageRead Stripe's lists into the mirror. An interrupted backfill is resumed.

    Args:
        kinds: Kinds to read, such as customers subscriptions; default: all.
        since: Only objects created from this date or time on (ISO 8601, UTC).
        fresh: Start again instead of resuming an interrupted backfill.
        at_once: The largest number of concurrent requests.
        json: Print the result as JSON.
    """
    selected, start = kinds_named(list(kinds)), _parse_time(since)

    async def work(services: Services) -> list[backfill_actions.BackfillResult]:
        with mirror_status.list_progress("backfill") as on_progress:
            result = await backfill_actions.backfill(
                services, selected, since=start, fresh=fresh, at_once=at_once, on_progress=on_progress
            )
        resolved = await tie_resolution.resolve_ties(services)
        if not json:
            mirror_status.print_backfill(result, resolved)
        return result

    result = _run(work, "stripe backfill")
    if json:
        output.as_json(result)
    return exit_codes.OK


@app.command(name="rebuild")
def rebuild_(*kinds: str, diff: bool = False, inbox: bool = False, at_once: int = AT_ONCE, json: bool = False) -> int:
    """Compare the mirror with Stripe's lists and the inbox, and repair differences.

    Args:
        kinds: Kinds to compare; default: all.
        diff: Print every difference without repairing. Exit code 1 if there is any.
        inbox: Compare with the inbox only, without requests to Stripe and without repairing.
        at_once: The largest number of concurrent requests.
        json: Print the result as JSON.
    """
    selected = kinds_named(list(kinds))

    async def work(services: Services) -> list[rebuild.ComparisonResult]:
        if inbox:
            return await rebuild.compare_with_inbox(services, selected)
        with mirror_status.list_progress("rebuild") as on_progress:
            result = await rebuild.compare(services, selected, repair=not diff, at_once=at_once, on_progress=on_progress)
        if not diff:
            await tie_resolution.resolve_ties(services)
        return result

    result = _run(work, "stripe rebuild")
    if json:
        output.as_json(result)
    else:
        mirror_status.print_comparison(result)
    return exit_codes.FAILED if (diff or inbox) and any(item.differences for item in result) else exit_codes.OK


@app.command
def status(*, json: bool = False) -> int:
    """Show lag, last event, counts and errors by kind. Exit code 1 if an object cannot be fetched.

    Args:
        json: Print the result as JSON.
    """
    result = _run(mirror_status.status, "stripe status")
    if json:
        output.as_json(result)
    else:
        mirror_status.print_status(result)
    return exit_codes.FAILED if any(item.failing for item in result.kinds) else exit_codes.OK


@app.command
def reconcile(*, json: bool = False) -> int:
    """Ingest events that no webhook delivered, and fetch unresolved objects. The worker does both regularly.

    Args:
        json: Print the result as JSON.
    """

    async def work(services: Services) -> tuple[int, tie_resolution.ResolutionResult]:
        with mirror_status.list_progress("reconcile") as on_progress:
            new = (await backfill_actions.reconcile(services, on_progress=on_progress)).changed
        return new, await tie_resolution.resolve_ties(services)

    new, resolved = _run(work, "stripe reconcile")
    if json:
        output.as_json({"new_events": new, "resolved": msgspec.structs.asdict(resolved)})
    else:
        print(f"{new:,} missed events ingested; {resolved.fetched:,} objects fetched, {resolved.failed:,} failed.")
    return exit_codes.FAILED if resolved.failed else exit_codes.OK


@app.command
def fuzz(*, permutations: int = 1000, events: int = 60, seed: int = 1, json: bool = False) -> int:
    """Apply one history of events in many orders, with duplicates, and compare the states.

    All is rolled back. Exit code 1 if the states differ.

    Args:
        permutations: Number of orders.
        events: Number of events in the history.
        seed: Seed of the history.
        json: Print the result as JSON.
    """

    async def work(services: Services) -> order_test.OrderTestResult:
        with mirror_status.progress_bar("permutations", permutations) as on_finished:
            return await order_test.run(services.db, permutations=permutations, count=events, seed=seed, on_finished=on_finished)

    result = _run(work, "stripe fuzz")
    if json:
        output.as_json(result)
    elif result.different:
        print(f"{len(result.different)} of {result.permutations} orders gave another state, the first is {result.different[0]}.")
    else:
        print(f"{result.permutations:,} orders of {result.events} events, with duplicates: one state, {result.state}.")
    return exit_codes.FAILED if result.different else exit_codes.OK


@app.command(name="links")
def links_(*, suggestions: bool = False, json: bool = False, limit: int = 100) -> int:
    """List the links between Stripe customers and accounts.

    Args:
        suggestions: List customers and accounts that share an e-mail address instead. This proves nothing: check before linking.
        json: Print the result as JSON.
        limit: Number of rows, newest first.
    """

    async def work(services: Services) -> list[msgspec.Struct]:
        async with services.db.read() as tx:
            if suggestions:
                return [*await tx.fetch_all(link_queries.SUGGESTIONS, limit=limit)]
            return [*await tx.fetch_all(link_queries.LINKS, customer=None, limit=limit)]

    result = _run(work, "stripe links")
    if json:
        output.as_json(result)
    else:
        mirror_status.print_table([msgspec.structs.asdict(item) for item in result])
    return exit_codes.OK


@app.command
def link(account: str, customer: str) -> int:
    """Link a Stripe customer to an account.

    Args:
        account: The account's id or e-mail address.
        customer: The customer's id at Stripe (cus_...).
    """

    async def work(services: Services) -> None:
        async with services.db.tx() as tx:
            await links.link(tx, await links.account(tx, account), customer)

    _run(work, "stripe link")
    print(f"Linked {customer} to {account}.")
    return exit_codes.OK


@app.command
def unlink(customer: str) -> int:
    """Remove the link of a Stripe customer. Exit code 1 if there was none.

    Args:
        customer: The customer's id at Stripe (cus_...).
    """

    async def work(services: Services) -> bool:
        async with services.db.tx() as tx:
            return await links.unlink(tx, customer)

    removed = _run(work, "stripe unlink")
    print(f"Removed the link of {customer}." if removed else f"{customer} has no link.")
    return exit_codes.OK if removed else exit_codes.FAILED


def _run(work: Callable[[Services], Awaitable[Result]], name: str) -> Result:
    config = settings.read()
    logs.configure(config.log_format, name)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Services]:
        async with reaching(config) as access:
            services = connect(config, access.app)
            await services.db.open()
            try:
                yield services
            finally:
                await services.db.close()

    async def run() -> Result:
        async with opened() as services:
            return await work(services)

    return asyncio.run(run())


def _parse_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"--since needs a date or time such as 2026-01-31, not {text!r}.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
