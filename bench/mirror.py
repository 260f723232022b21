"""The Stripe mirror against the bare work of an asyncio prototype, in one run: webhooks at sixteen clients, backfill."""

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

from bench import mirror_prototype, sync_engine
from bench.house import ROOT, SECRET, House, web
from bench.table import Line
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.events import sign

CLIENTS = 16
PROCESSES = 2
HOOK = "whsec_bench"
KEY = "sk_test_fake"
BEHIND = 200_000
"""Subscriptions that are there already, for one of the rounds."""


def measure(at: House, *, rounds: int, events: int, objects: int) -> list[Line]:
    """Webhooks, then backfills."""
    at.run("vetrina", mirror_prototype.TABLES)
    at.run("vetrina", "grant usage on schema bare to vetrina_app", "grant all on all tables in schema bare to vetrina_app")
    return [*_webhooks(at, rounds, events), *_backfills(at, objects)]


# Webhooks ---------------------------------------------------------------------------------------------------------------


def _webhooks(at: House, rounds: int, count: int) -> list[Line]:
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    engine: list[dict[str, float]] = []
    behind: list[dict[str, float]] = []
    file = at.data / "webhooks.bin"
    with _settled(at) as ready, web(at, "vetrina", PROCESSES) as site, _prototype(at) as bare:
        for number in range(rounds + 1):  # the first one warms up
            made = history(number, count)
            write(file, made)
            for side in ((0, 1) if number % 2 else (1, 0)):
                if side:
                    theirs.append(send(bare, file, count))
                else:
                    ours.append(send(site.url, file, count))
            wrong = states(at, made)
            assert not wrong, f"{wrong} objects are not in their final state"
        if ready:
            with sync_engine.serving(at, HOOK, KEY) as url:
                for number in range(2):
                    write(file, history(100 + number, count // 4), path="/webhooks")
                    engine.append(send(url, file, count // 4))
        fill_up(at, BEHIND)
        for number in range(rounds):
            write(file, history(200 + number, count))
            behind.append(send(site.url, file, count))
    del ours[0], theirs[0]
    mine, other, late = _median(ours), _median(theirs), _median(behind)
    ratio = statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, theirs, strict=True))
    what = f"webhooks, {CLIENTS} clients"
    lines = [
        Line(f"{what}: verified, stored, applied", mine["rate"], other["rate"], "/s", ratio, at_least=0.4),
        Line(f"{what}: p50", mine["p50"], other["p50"], "ms", mine["p50"] / other["p50"]),
        Line(f"{what}: p99", mine["p99"], other["p99"], "ms", mine["p99"] / other["p99"], below=200.0),
        Line(f"{what}: {BEHIND:,} subscriptions there, time of one", 1e3 / late["rate"], 1e3 / mine["rate"], "ms",
             mine["rate"] / late["rate"], at_most=1.2),
    ]  # fmt: skip
    if engine:
        their = engine[-1]["rate"]
        lines.append(Line(f"{what}: beside stripe-sync-engine", mine["rate"], their, "/s", mine["rate"] / their, at_least=3.0))
    return lines


def history(seed: int, count: int) -> list[dict[str, Any]]:
    """So many events about half as many customers and subscriptions, in any order."""
    rng = random.Random(seed)
    now = int(time.time()) - count
    made: list[dict[str, Any]] = []
    for number in range(count):
        one = seed * count + rng.randrange(max(count // 4, 1))
        at = now + number
        kind, data = (
            ("customer", sample.customer(one, at)) if number % 2 else ("customer.subscription", sample.subscription(one, at))
        )
        made.append(sample.event(f"{kind}.updated", {**data, "metadata": {"round": str(number)}}, at, f"bench{seed}_{number}"))
    rng.shuffle(made)
    return made


def write(file: Path, made: list[dict[str, Any]], path: str = "/webhooks/stripe") -> None:
    """Whole requests, signed now."""
    with file.open("wb") as out:
        for each in made:
            body = json.dumps(each, indent=2).encode()  # as Stripe prints it
            head = (
                f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json; charset=utf-8\r\n"
                f"stripe-signature: {sign(body, HOOK, int(time.time()))}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            out.write((len(head) + len(body)).to_bytes(4, "big") + head.encode() + body)


def send(url: str, file: Path, count: int) -> dict[str, float]:
    """Every request once; all must be taken."""
    place = urlsplit(url)
    done = subprocess.run(
        [sys.executable, "-m", "bench.mirror_client", str(place.hostname), str(place.port), str(CLIENTS), str(file)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert set(told["statuses"]) <= {"200", "202"} and sum(told["statuses"].values()) == count, told["statuses"]
    return {"rate": count / told["seconds"], "p50": told["p50"], "p99": told["p99"]}


def states(at: House, made: list[dict[str, Any]]) -> int:
    """How many objects are not as their newest event left them."""
    newest: dict[str, dict[str, Any]] = {}
    for each in sorted(made, key=lambda event: event["created"]):
        newest[each["data"]["object"]["id"]] = each["data"]["object"]
    return at.one(
        "vetrina",
        "select count(*) from jsonb_array_elements(%s::jsonb) e"
        " where not exists (select from stripe_mirror.objects o where o.id = e ->> 'id' and o.data = e)",
        json.dumps(list(newest.values())),
    )


def fill_up(at: House, count: int) -> None:
    """So many subscriptions more, without events."""
    one = json.dumps(sample.subscription(0, int(time.time()) - 10**6))
    at.run(
        "vetrina",
        f"""insert into stripe_mirror.subscriptions (id, data, event_at, event_rank, event_id)
            select id, jsonb_set(jsonb_set('{one}'::jsonb, '{{id}}', to_jsonb(id)), '{{metadata,number}}', to_jsonb(id)),
                   now() - interval '30 days', 0, '.'
              from (select 'sub_old' || n as id from generate_series(1, {count}) n) ids""",
        "analyze stripe_mirror.subscriptions",
    )


@contextlib.contextmanager
def _settled(at: House) -> Generator[bool]:
    """The environment of the web processes; whether stripe-sync-engine is there to be measured."""
    os.environ["STRIPE_WEBHOOK_SECRET"] = HOOK
    try:
        yield sync_engine.ready()
    finally:
        del os.environ["STRIPE_WEBHOOK_SECRET"]


@contextlib.contextmanager
def _prototype(at: House) -> Generator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        command = [sys.executable, "-m", "bench.mirror_prototype", "serve", str(listener.fileno()), at.uri("app"), HOOK]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
        try:
            time.sleep(1)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.kill()
            process.wait()


# Backfill ---------------------------------------------------------------------------------------------------------------


def _backfills(at: House, count: int) -> list[Line]:
    lines: list[Line] = []
    for delay in (0.0, 0.2):
        with _lists(count, delay) as url:
            for kind in ("customers", "subscriptions"):
                at.run("vetrina", "truncate bare.objects", f"truncate stripe_mirror.{kind}")
                base = count / _fill_bare(at, url, kind)
                at.run("vetrina", "checkpoint")
                mine = count / _fill(at, url, kind)
                there = at.one("vetrina", f"select count(*) from stripe_mirror.{kind}")
                assert there == count, f"{there} of {count} {kind}"
                what = f"backfill of {count:,} {kind}, {delay * 1e3:.0f} ms a call"
                lines.append(Line(what, mine, base, "/s", mine / base, at_least=0.5))
    if sync_engine.ready():
        few = count // 20  # one page after the other, row by row: more would take minutes
        with _lists(few, 0.0) as url:
            for kind in ("customers", "subscriptions"):
                their = few / sync_engine.fill(at, url, kind, KEY)
                mine = next(each.ours for each in lines if f" {kind}, 0 ms" in each.what)
                lines.append(Line(f"backfill of {kind}: beside stripe-sync-engine", mine, their, "/s", mine / their))
    return lines


@contextlib.contextmanager
def _lists(count: int, delay: float) -> Generator[str]:
    command = [sys.executable, "-m", "tests.fakes.stripe_lists", "--customers", str(count), "--subscriptions", str(count)]
    process = subprocess.Popen([*command, "--delay", str(delay)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def _fill_bare(at: House, url: str, kind: str) -> float:
    """Seconds. The spans hold about as much each, which the prototype is told beforehand."""
    now, span = int(time.time()), 3 * 365 * 86400
    cuts = [int(now - span * (1 - (part / CLIENTS) ** 0.5)) for part in range(CLIENTS + 1)]
    cuts = [0, *cuts[1:-1], now + 1]
    command = [sys.executable, "-m", "bench.mirror_prototype", "fill", at.uri("app"), url, KEY, kind]
    done = subprocess.run([*command, ",".join(map(str, cuts))], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["seconds"]


def _fill(at: House, url: str, kind: str) -> float:
    """Seconds of the command, without Python's start."""
    environment = {
        **os.environ, "VETRINA_DATA": str(at.data / "site"), "VETRINA_DATABASE_URL": at.uri("app"), "VETRINA_SECRET_KEY": SECRET,
        "STRIPE_API_KEY": KEY, "STRIPE_API_BASE": url, "VETRINA_LOG_FORMAT": "json",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bench.mirror_fill", kind], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])["seconds"]


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
