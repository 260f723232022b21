"""kill -9 during a stream of webhooks, with cut connections: after redelivery nothing is lost or duplicated."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from tests.stripe_mirror.helpers import SECRET, row, value
from vetrina.core.database.connection import Database
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.events import sign

COUNT = 400


@contextmanager
def process(database: str, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start a web process of the mirror."""
    inherited = {name: result for name, result in os.environ.items() if not name.startswith(("VETRINA_", "STRIPE_"))}
    environment = {**inherited, "VETRINA_DATABASE_URL": database, "VETRINA_DATA": str(folder), "VETRINA_PORT": str(port),
                   "STRIPE_WEBHOOK_SECRET": SECRET, "VETRINA_ONLY": "stripe_mirror", "VETRINA_LOG_FORMAT": "json"}  # fmt: skip
    with (folder / "web.log").open("ab") as log:
        command = [sys.executable, "-m", "vetrina", "serve"]
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


async def ready(url: str) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + 30
    async with httpx2.AsyncClient(base_url=url) as client:
        while time.monotonic() < until:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx2.HTTPError:
                await asyncio.sleep(0.1)
    raise AssertionError("it did not start")


async def stream(url: str, events: list[dict[str, Any]], acknowledged: set[str]) -> None:
    """Deliver events with eight concurrent requests; unacknowledged ones remain for the next round."""
    left = list(events)

    async def one() -> None:
        async with httpx2.AsyncClient(base_url=url, timeout=10) as client:
            while left:
                event = left.pop()
                raw = json.dumps(event).encode()
                headers = {"stripe-signature": sign(raw, SECRET, int(time.time())), "content-type": "application/json"}
                try:
                    answer = await client.post("/webhooks/stripe", content=raw, headers=headers)
                except httpx2.HTTPError:
                    continue
                if answer.status_code == 200:
                    acknowledged.add(event["id"])

    await asyncio.gather(*(one() for _ in range(8)))


async def test_redelivery_after_kill_9(database: str, owner: str, db: Database, tmp_path: Path) -> None:
    history = sample.history(5, COUNT, prefix="kill")
    order = random.Random(5).sample(history, len(history))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url, acknowledged = f"http://127.0.0.1:{port}", set[str]()

    async def strike(running: subprocess.Popen[bytes], after: int) -> None:
        while len(acknowledged) < after:
            await asyncio.sleep(0.002)
        running.send_signal(signal.SIGKILL)

    with process(database, tmp_path, port) as running:
        await ready(url)
        await asyncio.gather(stream(url, order, acknowledged), strike(running, COUNT // 3))
    stored = {result async for result in _ids(db)}
    assert acknowledged <= stored, "what was acknowledged is there"
    assert len(acknowledged) < COUNT

    with process(database, tmp_path, port):
        await ready(url)
        again = random.Random(6).sample(order, COUNT)  # Stripe redelivers some without need

        async def cut() -> None:
            await asyncio.sleep(0.3)
            with psycopg.connect(owner, autocommit=True) as connection:
                connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                                   "and application_name like 'vetrina %' and pid <> pg_backend_pid()")  # fmt: skip

        await asyncio.gather(stream(url, again, acknowledged), cut())
        until = time.monotonic() + 30
        while len(acknowledged) < COUNT and time.monotonic() < until:
            await stream(url, [item for item in order if item["id"] not in acknowledged], acknowledged)
    assert len(acknowledged) == COUNT
    assert await value(db, "select count(*) from stripe_mirror.events") == COUNT
    newest = {item["data"]["object"]["id"]: item for item in sorted(history, key=_order)}
    for id, event in newest.items():
        kind = event["type"].split(".")[0] + "s" if "subscription" not in event["type"] else "subscriptions"
        if kind != "gift_cards":
            assert await row(db, kind, id) == event["data"]["object"], id


def _order(event: dict[str, Any]) -> tuple[int, int, str]:
    rank = {"created": 1, "deleted": 9}.get(event["type"].rpartition(".")[2], 5)
    return event["created"], rank, event["id"]


async def _ids(db: Database) -> AsyncIterator[str]:
    async with db.read() as tx:
        for result in await (await tx.connection.execute("select id from stripe_mirror.events")).fetchall():
            yield result[0]
