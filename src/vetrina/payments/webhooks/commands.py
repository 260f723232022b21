"""`vetrina webhooks`: list received Stripe webhooks and replay them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal, TypeVar

import msgspec
from cyclopts import App

from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.errors import Invalid
from vetrina.core.services import Services, connect
from vetrina.core.settings import environment as settings
from vetrina.payments.webhooks import actions as told
from vetrina.payments.webhooks import queries
from vetrina.payments.webhooks.event_types import STRIPE_EVENTS

app = App(name="webhooks", help="List received Stripe webhooks and replay them.")
Outcome = Literal["failed", "dead", "waiting", "applied", "ignored"]
Result = TypeVar("Result")


@app.command(name="list")
def list_(*, outcome: Outcome | None = None, type: str | None = None, limit: int = 50, json: bool = False) -> int:
    """List the newest events with their outcome.

    Args:
        outcome: Only events with this outcome; `dead` are those that failed permanently.
        type: Only types that start with this.
        limit: Maximum number.
        json: Print them as JSON.
    """

    async def run(services: Services) -> list[queries.Logged]:
        async with services.db.read() as tx:
            return await tx.fetch_all(
                queries.LOG,
                told=list(STRIPE_EVENTS),
                outcome=outcome,
                type=f"{type}%" if type else None,
                object=None,
                before=datetime.max.replace(tzinfo=UTC),
                before_id="~",
                limit=limit,
            )

    rows = _with_services(run)
    if json:
        output.as_json([msgspec.to_builtins(row) for row in rows])
        return 0
    for row in rows:
        print(f"{row.at:%Y-%m-%d %H:%M:%S}  {row.outcome:<8} {row.attempts:>3}  {row.type:<40} {row.id}  {row.error or ''}")
    return 0


@app.command
def replay(*ids: str, dead: bool = False, type: str = "") -> int:
    """Replay events: the named ones, or with --dead all that failed permanently. A worker processes them.

    Args:
        ids: Ids of events, such as evt_1Nk.
        dead: Every event that failed permanently.
        type: With --dead: only types that start with this.
    """
    if bool(ids) == dead:
        raise Invalid("Name the events to apply again, or say --dead for all that were given up.")

    async def run(services: Services) -> int:
        if dead:
            return await told.replay_all(services, type=f"{type}%")
        replayed = await told.replay(services, list(ids))
        for item in sorted(set(ids) - set(replayed)):
            print(f"{item} never came in.")
        return len(replayed)

    count = _with_services(run)
    print("One event is being applied again." if count == 1 else f"{count} events are being applied again.")
    return 0 if count or dead else 1


def _with_services(work: Callable[[Services], Awaitable[Result]]) -> Result:
    config = settings.read()
    logs.configure(config.log_format, "webhooks")

    async def run() -> Result:
        async with reaching(config) as access:
            services = connect(config, access.app)
            await services.db.open()
            try:
                return await work(services)
            finally:
                await services.db.close()

    return asyncio.run(run())
