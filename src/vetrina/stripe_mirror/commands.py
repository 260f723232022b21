"""`vetrina stripe`: the Stripe mirror. Fill it, prove it, see how it stands, say whose customer is whose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from cyclopts import App

from vetrina.core import logs, settings
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.errors import Invalid
from vetrina.core.services import Services, connect
from vetrina.stripe_mirror import account_links as links
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror import status as show
from vetrina.stripe_mirror.backfill import actions as filling
from vetrina.stripe_mirror.client import AT_ONCE
from vetrina.stripe_mirror.consistency import order_test as fuzzing
from vetrina.stripe_mirror.consistency import rebuild
from vetrina.stripe_mirror.ingest import tie_resolution as settling
from vetrina.stripe_mirror.object_types import named

app = App(name="stripe", help="The Stripe mirror: fill it, prove it, see how it stands.")
Result = TypeVar("Result")


@app.command
def backfill(*kinds: str, since: str | None = None, fresh: bool = False, at_once: int = AT_ONCE, json: bool = False) -> int:
    """Read what Stripe holds already into the mirror. Cut short, it goes on where it was when run again.

    Parameters
    ----------
    kinds
        What to read, such as customers subscriptions; everything by default.
    since
        Only what was created from this day or moment on (ISO 8601, UTC).
    fresh
        Begin anew, although an earlier one was cut short.
    at_once
        Requests on their way at the same time, at most.
    json
        Print the result as JSON.
    """
    wanted, start = named(list(kinds)), _moment(since)

    async def work(services: Services) -> list[filling.Filled]:
        with show.progress("backfill") as tell:
            found = await filling.backfill(services, wanted, since=start, fresh=fresh, at_once=at_once, tell=tell)
        settled = await settling.settle(services)
        if not json:
            show.filled(found, settled)
        return found

    found = _run(work, "stripe backfill")
    if json:
        output.as_json(found)
    return exits.OK


@app.command(name="rebuild")
def rebuild_(*kinds: str, diff: bool = False, inbox: bool = False, at_once: int = AT_ONCE, json: bool = False) -> int:
    """Make a shadow of the mirror from Stripe's lists and the inbox, and put right what differs.

    Parameters
    ----------
    kinds
        What to compare; everything by default.
    diff
        Change nothing: print every difference. Exit code 1 if there is any.
    inbox
        Compare with the inbox alone, without asking Stripe; changes nothing either.
    at_once
        Requests on their way at the same time, at most.
    json
        Print the result as JSON.
    """
    wanted = named(list(kinds))

    async def work(services: Services) -> list[rebuild.Compared]:
        if inbox:
            return await rebuild.compare_with_inbox(services, wanted)
        with show.progress("rebuild") as tell:
            found = await rebuild.compare(services, wanted, repair=not diff, at_once=at_once, tell=tell)
        if not diff:
            await settling.settle(services)
        return found

    found = _run(work, "stripe rebuild")
    if json:
        output.as_json(found)
    else:
        show.compared(found)
    return exits.FAILED if (diff or inbox) and any(each.differences for each in found) else exits.OK


@app.command
def status(*, json: bool = False) -> int:
    """Lag, last event, counts and errors by kind. Exit code 1 if something cannot be settled.

    Parameters
    ----------
    json
        Print the result as JSON.
    """
    found = _run(show.status, "stripe status")
    if json:
        output.as_json(found)
    else:
        show.print_status(found)
    return exits.FAILED if any(each.failing for each in found.kinds) else exits.OK


@app.command
def reconcile(*, json: bool = False) -> int:
    """Take in the events that Stripe lists and no webhook brought, and settle what is in doubt; the worker does so by itself.

    Parameters
    ----------
    json
        Print the result as JSON.
    """

    async def work(services: Services) -> tuple[int, settling.Settled]:
        with show.progress("reconcile") as tell:
            new = (await filling.reconcile(services, tell=tell)).changed
        return new, await settling.settle(services)

    new, settled = _run(work, "stripe reconcile")
    if json:
        output.as_json({"new_events": new, "settled": msgspec.structs.asdict(settled)})
    else:
        print(f"{new:,} events that no webhook brought; {settled.fetched:,} objects fetched, {settled.failed:,} not to be had.")
    return exits.FAILED if settled.failed else exits.OK


@app.command
def fuzz(*, permutations: int = 1000, events: int = 60, seed: int = 1, json: bool = False) -> int:
    """Does the order of events matter? One history in many orders, with duplicates; nothing of it stays. Exit code 1 if so.

    Parameters
    ----------
    permutations
        How many orders.
    events
        How long the history is.
    seed
        Which history.
    json
        Print the result as JSON.
    """

    async def work(services: Services) -> fuzzing.Fuzzed:
        with show.counting("permutations", permutations) as done:
            return await fuzzing.run(services.db, permutations=permutations, count=events, seed=seed, done=done)

    found = _run(work, "stripe fuzz")
    if json:
        output.as_json(found)
    elif found.different:
        print(f"{len(found.different)} of {found.permutations} orders left another state, the first is {found.different[0]}.")
    else:
        print(f"{found.permutations:,} orders of {found.events} events, with duplicates: one state, {found.state}.")
    return exits.FAILED if found.different else exits.OK


@app.command(name="links")
def links_(*, suggestions: bool = False, json: bool = False, limit: int = 100) -> int:
    """Which customer belongs to which account.

    Parameters
    ----------
    suggestions
        Those that share an e-mail address instead, which proves nothing: look before you link.
    json
        Print the result as JSON.
    limit
        How many at most, the newest first.
    """

    async def work(services: Services) -> list[msgspec.Struct]:
        async with services.db.read() as tx:
            if suggestions:
                return [*await tx.all(queries.SUGGESTIONS, limit=limit)]
            return [*await tx.all(queries.LINKS, customer=None, limit=limit)]

    found = _run(work, "stripe links")
    if json:
        output.as_json(found)
    else:
        show.table([msgspec.structs.asdict(each) for each in found])
    return exits.OK


@app.command
def link(account: str, customer: str) -> int:
    """Say that a Stripe customer is an account's.

    Parameters
    ----------
    account
        The account's id or e-mail address.
    customer
        The customer's id at Stripe (cus_...).
    """

    async def work(services: Services) -> None:
        async with services.db.tx() as tx:
            await links.link(tx, await links.account(tx, account), customer)

    _run(work, "stripe link")
    print(f"{customer} is {account}'s.")
    return exits.OK


@app.command
def unlink(customer: str) -> int:
    """Take a link away. Exit code 1 if there was none.

    Parameters
    ----------
    customer
        The customer's id at Stripe (cus_...).
    """

    async def work(services: Services) -> bool:
        async with services.db.tx() as tx:
            return await links.unlink(tx, customer)

    was = _run(work, "stripe unlink")
    print(f"{customer} is nobody's any more." if was else f"{customer} was nobody's.")
    return exits.OK if was else exits.FAILED


def _run(work: Callable[[Services], Awaitable[Result]], name: str) -> Result:
    found = settings.read()
    logs.configure(found.log_format, name)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Services]:
        async with reaching(found) as access:
            services = connect(found, access.app)
            await services.db.open()
            try:
                yield services
            finally:
                await services.db.close()

    async def run() -> Result:
        async with opened() as services:
            return await work(services)

    return asyncio.run(run())


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"--since is a day or a moment, such as 2026-01-31, not {text!r}.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
