"""Ten thousand payment webhooks at 16 clients: time to acknowledge each, time to apply all, and a consistent ledger."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import replace

from bench.environment import ROOT, Environment, web
from bench.report import Line
from tests.factories import Make
from tests.fakes.stripe import KEY, SECRET, StripeFake
from tests.payments.webhooks.deliveries import deliver, ends, wanted, world
from vetrina.core.services import connect
from vetrina.payments.settlement import verify as books
from vetrina.wallet.ledger import actions as wallet

PAYMENTS = 350
"""Which make some ten thousand deliveries."""
CLIENTS = 16
DATABASE = "deliveries"
OPEN = """
  select (select count(*) from procrastinate_jobs where task_name = 'payments.stripe_event' and status in ('todo', 'doing'))
       + (select count(*) from payments.webhook_events where outcome = 'failed')
"""


def measure(env: Environment) -> list[Line]:
    """The three figures. Raises AssertionError when a payment ended otherwise than it must."""
    env.copy(DATABASE)
    return asyncio.run(_measure(env))


async def _measure(env: Environment) -> list[Line]:
    with StripeFake() as fake, _stripe(fake.url), web(env, DATABASE, 2) as site, _worker(env):
        settings = replace(env.settings, stripe_api_key=KEY, stripe_api_base=fake.url, stripe_webhook_secret=SECRET)
        services = connect(settings, env.uri("app", DATABASE))
        await services.open()
        try:
            created = await world(services.db, Make(services), fake, PAYMENTS)
            deliveries = created.deliveries(seed=1)
            began = time.perf_counter()
            answers, seconds = await deliver(site.url, deliveries, clients=CLIENTS)
            taken = time.perf_counter() - began
            assert set(answers) == {(True, 200), (False, 400)}, answers
            while env.one(DATABASE, OPEN):
                await asyncio.sleep(0.2)
            applied = time.perf_counter() - began
            assert await ends(services.db) == wanted(created), "a payment ended otherwise"
            async with services.db.read() as tx:
                assert [*await wallet.faults(tx), *await books.faults(tx)] == [], "the books are wrong"
        finally:
            await services.close()
    seconds.sort()
    events = sum(delivery.valid for delivery in deliveries) // 3
    what = f"{len(deliveries):,} deliveries, {CLIENTS} clients"
    return [
        Line(f"{what}: acknowledged, p99", seconds[len(seconds) * 99 // 100] * 1e3, None, "ms", below=200.0),
        Line(f"{what}: taken in", len(deliveries) / taken, None, "/s", note="forged, stale and repeated ones too"),
        Line(f"{events:,} events: applied after", applied, None, "s", note="from the first delivery; one worker"),
    ]


@contextlib.contextmanager
def _stripe(url: str) -> Generator[None]:
    """What the processes have to know of Stripe."""
    result = {"STRIPE_API_KEY": KEY, "STRIPE_API_BASE": url, "STRIPE_WEBHOOK_SECRET": SECRET}
    os.environ.update(result)
    try:
        yield
    finally:
        for name in result:
            del os.environ[name]


@contextlib.contextmanager
def _worker(env: Environment) -> Generator[None]:
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VETRINA_")},
        "VETRINA_DATA": str(env.data / "site"),
        "VETRINA_DATABASE_URL": env.uri("app", DATABASE),
        "VETRINA_LOG_FORMAT": "json",
    }
    with (env.data / "worker.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "vetrina", "worker"], env=variables, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
