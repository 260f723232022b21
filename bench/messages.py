"""Sending messages over HTTP against pgbench calling the same function; delivery to another process; many open streams."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from pathlib import Path
from uuid import UUID

import httpx2

from bench import accounts_fixture
from bench.accounts_fixture import FUNDED, BenchAccount
from bench.environment import Environment, Web, web
from bench.load_test import Round, run_http, run_pgbench
from bench.report import Line

DATABASE = "messages"
CLIENTS = 32
PROCESSES = 2
STREAMS = 1000
DELIVERIES = 200
BODY = "Shall we meet on Friday at six, in front of the gallery?"

# A conversation of each two neighbours; both follow each other, as far as messaging knows.
_MAKE = (
    "update core.settings set value = '{\"count\": 0, \"seconds\": 60}' where key = 'limits.messages'",
    "alter table bench.people add conversation_id uuid",
    """
    update bench.people p set conversation_id = messaging.start_direct(p.account_id, o.account_id,
                              format('01900000-0003-7000-8000-%s', lpad(p.n::text, 12, '0'))::uuid)
      from bench.people o where o.n = p.n + 1 and p.n % 2 = 1
    """,
    "update bench.people p set conversation_id = o.conversation_id from bench.people o where o.n = p.n - 1 and p.n % 2 = 0",
    "update messaging.participants set status = 'active'",
)
_RESET = (
    "truncate messaging.messages, messaging.message_images",
    "update messaging.conversations set last_change = 0, last_position = 0",
    "update messaging.participants set unread = 0, read_position = 0, sort_id = null",
    "vacuum analyze",
    "checkpoint",
)
_PGBENCH = f"""\\set n random(1, {FUNDED})
select messaging.send_many(jsonb_build_array(jsonb_build_object('account_id', account_id, 'conversation_id', conversation_id, \
'id', uuidv7(), 'sort_id', uuidv7(), 'body', '{BODY}', 'hash', encode(sha256(conversation_id::text::bytea), 'hex'), \
'file_ids', '[]'::jsonb)))::text from bench.people where n = :n
"""


def measure(env: Environment, *, rounds: int, seconds: float) -> list[Line]:
    """The race at 32 clients, then delivery, then streams."""
    env.copy(DATABASE)
    accounts = accounts_fixture.create_accounts(env, DATABASE)[:FUNDED]
    env.run(DATABASE, *_MAKE)
    requests = _requests(accounts, env.data / "messages.txt")
    script = env.data / "messages.sql"
    script.write_text(_PGBENCH)
    with web(env, DATABASE, PROCESSES) as site:
        lines = _race(env, site, rounds, seconds, requests, script)
    with web(env, DATABASE, 1) as one, web(env, DATABASE, 1) as two:
        lines += asyncio.run(_delivery(one, two, accounts))
        lines += asyncio.run(_streams(two, accounts))
    return lines


def _conversation(number: int) -> UUID:
    """Return the conversation of the account with this number, from 1."""
    return UUID(f"01900000-0003-7000-8000-{(number - 1) // 2 * 2 + 1:012d}")


def _requests(accounts: list[BenchAccount], to: Path) -> Path:
    body = json.dumps({"body": BODY}).encode()
    to.write_bytes(
        b"\n".join(
            b"%b\t/api/v1/conversations/%b/messages\t%b" % (account.token.encode(), str(_conversation(number)).encode(), body)
            for number, account in enumerate(accounts, 1)
        )
    )
    return to


def _race(env: Environment, site: Web, rounds: int, seconds: float, requests: Path, script: Path) -> list[Line]:
    ours: list[Round] = []
    baseline: list[Round] = []
    env.run(DATABASE, *_RESET)
    run_http(env, site, CLIENTS, 1, requests)  # the first ones warm up
    run_pgbench(env, DATABASE, CLIENTS, 1, script)
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            env.run(DATABASE, *_RESET)
            if side:
                baseline.append(run_pgbench(env, DATABASE, CLIENTS, seconds, script))
            else:
                ours.append(run_http(env, site, CLIENTS, seconds, requests))
                _check(env, ours[-1])
    rate, base = (statistics.median(item.rate for item in side) for side in (ours, baseline))
    ratio = statistics.median(a.rate / b.rate for a, b in zip(ours, baseline, strict=True))
    what = f"send, {CLIENTS} clients"
    return [
        Line(f"{what}: rate", rate, base, "/s", ratio, at_least=1.0),
        *(
            Line(f"{what}: {name}", _median(ours, name), _median(baseline, name), unit)
            for name, unit in (("p50", "ms"), ("p99", "ms"), ("database_us", "us"))
        ),
        Line(f"{what}: processor in the web processes", _median(ours, "web_us"), None, "us"),
    ]


def _median(rounds: list[Round], name: str) -> float:
    return statistics.median(getattr(item, name) for item in rounds)


def _check(env: Environment, result: Round) -> None:
    """Check that each 201 has a message, counted once."""
    rows = env.one(DATABASE, "select count(*) from messaging.messages")
    wrong = env.one(DATABASE, "select count(*) from messaging.participants p where p.unread <> messaging.count_unread(p)")
    assert result.other == result.refused == 0, f"{result.other + result.refused} answers were not 201"
    assert result.created <= rows <= result.created + CLIENTS, f"{result.created} times 201, {rows} rows"
    assert wrong == 0, f"{wrong} counters are wrong"


async def _delivery(one: Web, two: Web, accounts: list[BenchAccount]) -> list[Line]:
    """Measure from the sender's call in one process to the event and the text at a reader of another."""
    path = f"/api/v1/conversations/{_conversation(1)}"
    taken: list[float] = []
    async with (
        _client(one, accounts[0]) as sender,
        _client(two, accounts[1]) as reader,
        reader.stream("GET", f"{path}/events", timeout=60) as answer,
    ):
        lines = answer.aiter_lines()
        await anext(lines)
        for number in range(DELIVERIES):
            began = time.perf_counter()
            await sender.post(f"{path}/messages", json={"body": f"{BODY} {number}"})
            while f"{BODY} {number}" not in await anext(lines):
                pass
            taken.append((time.perf_counter() - began) * 1e3)
    times = sorted(taken)
    return [
        Line("delivery to another process: p50", times[len(times) // 2], None, "ms", below=300.0),
        Line("delivery to another process: p99", times[len(times) * 99 // 100], None, "ms"),
    ]


async def _streams(site: Web, accounts: list[BenchAccount]) -> list[Line]:
    """Measure the memory of one web process with a thousand open streams."""
    pid = site.processes[0].pid
    before = _resident(pid)
    limits = httpx2.Limits(max_connections=STREAMS + 10)
    async with httpx2.AsyncClient(base_url=site.url, limits=limits, timeout=60) as client:
        opened = [
            await client.send(
                client.build_request(
                    "GET", "/api/v1/conversations/events", headers={"Authorization": f"Bearer {accounts[number].token}"}
                ),
                stream=True,
            )
            for number in range(STREAMS)
        ]
        assert all(answer.status_code == 200 for answer in opened)
        used = _resident(pid) - before
        for answer in opened:
            await answer.aclose()
    return [Line(f"{STREAMS} open streams: memory of a web process", used, None, "MB", below=150.0)]


def _resident(pid: int) -> float:
    """Return a process's resident memory in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def _client(site: Web, account: BenchAccount) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=site.url, headers={"Authorization": f"Bearer {account.token}"}, timeout=30)
