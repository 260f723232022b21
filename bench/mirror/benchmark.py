"""The Stripe mirror against a minimal asyncio prototype, in one run: webhooks at sixteen clients, backfill."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.environment import ROOT, SECRET, Environment, web
from bench.mirror import prototype, sync_engine
from bench.report import Line
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.events import sign

CLIENTS = 16
PROCESSES = 2
HOOK = "whsec_bench"
KEY = "sk_test_fake"
EXISTING_SUBSCRIPTIONS = 200_000
"""Existing subscriptions in some of the rounds."""


def measure(env: Environment, *, rounds: int, events: int, objects: int) -> list[Line]:
    """Measure webhooks, then backfills."""
    env.run("vetrina", prototype.TABLES)
    env.run("vetrina", "grant usage on schema bare to vetrina_app", "grant all on all tables in schema bare to vetrina_app")
    return [*_webhooks(env, rounds, events), *_backfills(env, objects)]


# Webhooks ---------------------------------------------------------------------------------------------------------------


def _webhooks(env: Environment, rounds: int, count: int) -> list[Line]:
    ours: list[dict[str, float]] = []
    baseline: list[dict[str, float]] = []
    engine: list[dict[str, float]] = []
    behind: list[dict[str, float]] = []
    file = env.data / "webhooks.bin"
    with _webhook_secret(env) as ready, web(env, "vetrina", PROCESSES) as site, _prototype(env) as bare:
        for number in range(rounds + 1):  # the first one warms up
            events = history(number, count)
            write(file, events)
            for side in (0, 1) if number % 2 else (1, 0):
                if side:
                    baseline.append(send(bare, file, count))
                else:
                    ours.append(send(site.url, file, count))
            wrong = count_stale(env, events)
            assert not wrong, f"{wrong} objects are not in their final state"
        if ready:
            with sync_engine.serving(env, HOOK, KEY) as url:
                for number in range(2):
                    write(file, history(100 + number, count // 4), path="/webhooks")
                    engine.append(send(url, file, count // 4))
        add_subscriptions(env, EXISTING_SUBSCRIPTIONS)
        for number in range(rounds):
            write(file, history(200 + number, count))
            behind.append(send(site.url, file, count))
    del ours[0], baseline[0]
    own, other, late = _median(ours), _median(baseline), _median(behind)
    ratio = statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, baseline, strict=True))
    what = f"webhooks, {CLIENTS} clients"
    lines = [
        Line(f"{what}: verified, stored, applied", own["rate"], other["rate"], "/s", ratio, at_least=0.4),
        Line(f"{what}: p50", own["p50"], other["p50"], "ms", own["p50"] / other["p50"]),
        Line(f"{what}: p99", own["p99"], other["p99"], "ms", own["p99"] / other["p99"], below=200.0),
        Line(f"{what}: {EXISTING_SUBSCRIPTIONS:,} subscriptions there, time of one", 1e3 / late["rate"], 1e3 / own["rate"], "ms",
             own["rate"] / late["rate"], at_most=1.2),
    ]  # fmt: skip
    if engine:
        their = engine[-1]["rate"]
        lines.append(Line(f"{what}: beside stripe-sync-engine", own["rate"], their, "/s", own["rate"] / their, at_least=3.0))
    return lines


def history(seed: int, count: int) -> list[dict[str, Any]]:
    """Return `count` events about half as many customers and subscriptions, in random order."""
    rng = random.Random(seed)
    now = int(time.time()) - count
    events: list[dict[str, Any]] = []
    for number in range(count):
        one = seed * count + rng.randrange(max(count // 4, 1))
        at = now + number
        kind, data = (
            ("customer", sample.customer(one, at)) if number % 2 else ("customer.subscription", sample.subscription(one, at))
        )
        events.append(sample.event(f"{kind}.updated", {**data, "metadata": {"round": str(number)}}, at, f"bench{seed}_{number}"))
    rng.shuffle(events)
    return events


def write(file: Path, events: list[dict[str, Any]], path: str = "/webhooks/stripe") -> None:
    """Write whole HTTP requests, signed now."""
    with file.open("wb") as out:
        for item in events:
            body = json.dumps(item, indent=2).encode()  # as Stripe prints it
            head = (
                f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json; charset=utf-8\r\n"
                f"stripe-signature: {sign(body, HOOK, int(time.time()))}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            out.write((len(head) + len(body)).to_bytes(4, "big") + head.encode() + body)


def send(url: str, file: Path, count: int) -> dict[str, float]:
    """Send every request once; all must be accepted."""
    place = urlsplit(url)
    done = subprocess.run(
        [sys.executable, "-m", "bench.mirror.webhook_client", str(place.hostname), str(place.port), str(CLIENTS), str(file)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert set(result["statuses"]) <= {"200", "202"} and sum(result["statuses"].values()) == count, result["statuses"]
    return {"rate": count / result["seconds"], "p50": result["p50"], "p99": result["p99"]}


def count_stale(env: Environment, events: list[dict[str, Any]]) -> int:
    """Return how many objects differ from their newest event."""
    newest: dict[str, dict[str, Any]] = {}
    for item in sorted(events, key=lambda event: event["created"]):
        newest[item["data"]["object"]["id"]] = item["data"]["object"]
    return env.one(
        "vetrina",
        "select count(*) from jsonb_array_elements(%s::jsonb) e"
        " where not exists (select from stripe_mirror.objects o where o.id = e ->> 'id' and o.data = e)",
        json.dumps(list(newest.values())),
    )


def add_subscriptions(env: Environment, count: int) -> None:
    """Add `count` subscriptions without events."""
    one = json.dumps(sample.subscription(0, int(time.time()) - 10**6))
    env.run(
        "vetrina",
        f"""insert into stripe_mirror.subscriptions (id, data, event_at, event_rank, event_id)
            select id, jsonb_set(jsonb_set('{one}'::jsonb, '{{id}}', to_jsonb(id)), '{{metadata,number}}', to_jsonb(id)),
                   now() - interval '30 days', 0, '.'
              from (select 'sub_old' || n as id from generate_series(1, {count}) n) ids""",
        "analyze stripe_mirror.subscriptions",
    )


@contextlib.contextmanager
def _webhook_secret(env: Environment) -> Generator[bool]:
    """Set the webhook secret of the web processes; yield whether stripe-sync-engine can be measured."""
    os.environ["STRIPE_WEBHOOK_SECRET"] = HOOK
    try:
        yield sync_engine.ready()
    finally:
        del os.environ["STRIPE_WEBHOOK_SECRET"]


@contextlib.contextmanager
def _prototype(env: Environment) -> Generator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        command = [sys.executable, "-m", "bench.mirror.prototype", "serve", str(listener.fileno()), env.uri("app"), HOOK]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            time.sleep(1)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.kill()
            process.wait()


# Backfill ---------------------------------------------------------------------------------------------------------------


def _backfills(env: Environment, count: int) -> list[Line]:
    lines: list[Line] = []
    for delay in (0.0, 0.2):
        with _list_server(count, delay) as url:
            for kind in ("customers", "subscriptions"):
                env.run("vetrina", "truncate bare.objects", f"truncate stripe_mirror.{kind}")
                base = count / _backfill_prototype(env, url, kind)
                env.run("vetrina", "checkpoint")
                own = count / _backfill(env, url, kind)
                there = env.one("vetrina", f"select count(*) from stripe_mirror.{kind}")
                assert there == count, f"{there} of {count} {kind}"
                what = f"backfill of {count:,} {kind}, {delay * 1e3:.0f} ms a call"
                lines.append(Line(what, own, base, "/s", own / base, at_least=0.5))
    if sync_engine.ready():
        few = count // 20  # one page after the other, row by row: more would take minutes
        with _list_server(few, 0.0) as url:
            for kind in ("customers", "subscriptions"):
                their = few / sync_engine.fill(env, url, kind, KEY)
                own = next(item.ours for item in lines if f" {kind}, 0 ms" in item.what)
                lines.append(Line(f"backfill of {kind}: beside stripe-sync-engine", own, their, "/s", own / their))
    return lines


@contextlib.contextmanager
def _list_server(count: int, delay: float) -> Generator[str]:
    command = [sys.executable, "-m", "tests.fakes.stripe_lists", "--customers", str(count), "--subscriptions", str(count)]
    process = subprocess.Popen([*command, "--delay", str(delay)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def _backfill_prototype(env: Environment, url: str, kind: str) -> float:
    """Return the prototype's seconds. It gets spans that hold about the same number of objects."""
    now, span = int(time.time()), 3 * 365 * 86400
    cuts = [int(now - span * (1 - (part / CLIENTS) ** 0.5)) for part in range(CLIENTS + 1)]
    cuts = [0, *cuts[1:-1], now + 1]
    command = [sys.executable, "-m", "bench.mirror.prototype", "fill", env.uri("app"), url, KEY, kind]
    done = subprocess.run([*command, ",".join(map(str, cuts))], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["seconds"]


def _backfill(env: Environment, url: str, kind: str) -> float:
    """Return the seconds of the command, without Python's start."""
    variables = {
        **os.environ, "VETRINA_DATA": str(env.data / "site"), "VETRINA_DATABASE_URL": env.uri("app"),
        "VETRINA_SECRET_KEY": SECRET, "STRIPE_API_KEY": KEY, "STRIPE_API_BASE": url, "VETRINA_LOG_FORMAT": "json",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bench.mirror.backfill_once", kind],
        cwd=ROOT, env=variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])["seconds"]


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(item[name] for item in rounds) for name in rounds[0]}
