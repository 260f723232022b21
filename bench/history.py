"""A page of history among a million generations against the same page among ten thousand."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from bench.environment import Environment, web
from bench.report import Line
from vetrina.accounts.sessions.tokens import AccessTokens
from vetrina.core.database.connection import Statement
from vetrina.core.database.paging import FIRST
from vetrina.core.services import connect
from vetrina.studio import queries

SMALL, LARGE = "history_small", "history_large"
GOAL = 1.5
PAGE = 24
RUNS = 150

# Two people in each database: one to whom nearly all generations belong, and one with a thousand. The others of
# the large one, a thousand each, only lie between. Ids grow with time, and the accounts' lie mixed, as they would.
ONE, TWO = (UUID(f"01900000-0000-7000-8000-{n:012d}") for n in (1, 2))
OTHERS = 100
EACH = 1000


def _backfill(rows: int) -> tuple[str, ...]:
    others = min(OTHERS, rows // 10 // EACH)
    return (
        "set session_replication_role = replica",  # no triggers: the rows are right as they are
        "create schema bench",
        f"""
        create table bench.people as
        select n, format('01900000-0000-7000-8000-%s', lpad(n::text, 12, '0'))::uuid as account_id,
               format('01900000-0001-7000-8000-%s', lpad(n::text, 12, '0'))::uuid as hold_id
          from generate_series(1, {others + 2}) n
        """,
        """
        insert into accounts.accounts (id, kind, email)
        select account_id, 'user', 'bench' || n || '@example.com' from bench.people
        """,
        "insert into accounts.users (account_id, name) select account_id, 'Bench' from bench.people",
        """
        insert into accounts.sessions (account_id, id, refresh_token_hash, expires_at)
        select account_id, account_id, sha256('x'), now() + interval '30 days' from bench.people
        """,
        "insert into wallet.wallets (account_id, asset) select account_id, 'token' from bench.people",
        """
        insert into wallet.holds (account_id, id, asset, quantity, state, key, settled_at)
        select account_id, hold_id, 'token', 1, 'captured', 'bench', now() from bench.people
        """,
        # A hundred pictures of each kind, of which the generations are made and which they gave.
        """
        insert into media.files (account_id, id, category, file_name, storage_key, sha256, mime, bytes, width, height, colour,
                                 thumbnails)
        select account_id, format('01900000-000%s-7000-8000-%s', k, lpad(f::text, 12, '0'))::uuid,
               case k when 2 then 'product_image' else 'generated_image' end, 'bench.jpg', k || '/' || f, sha256('x'),
               'image/jpeg', 1000000, 4000, 3000, '#808080',
               '{"320": {"width": 320, "height": 240}, "640": {"width": 640, "height": 480}}'
          from bench.people, generate_series(2, 3) k, generate_series(1, 100) f
        """,
        f"""
        create table bench.made as
        select i, format('01910000-%s-7%s-8000-%s', lpad(to_hex(i >> 12), 4, '0'), lpad(to_hex(i & 4095), 3, '0'),
                         lpad(to_hex(i), 12, '0'))::uuid as id,
               case when i % {max(rows // EACH, 2)} = 1 then 2
                    when i % 10 = 2 and {others} > 0 then 3 + (i / 10) % greatest({others}, 1) else 1 end as n,
               case when i % 100 = 50 then 'failed' when i % 1000 = 60 then 'cancelled' else 'completed' end as status
          from generate_series(0, {rows - 1}) i
        """,
        """
        insert into studio.generations (account_id, id, status, style_name, engine, prompt, parameters, seed, cost, hold_id,
               progress, attempt, error_message, processing_time_ms, started_at, completed_at, created_at)
        select p.account_id, m.id, m.status, 'watercolour', 'builtin', 'A quiet morning', '{"size": 480, "wetness": 0.5}', i, 1,
               p.hold_id, 100, 1, case when m.status = 'failed' then 'The engine failed.' end, 900,
               now(), now(), now() - (1000000 - i) * interval '1 second'
          from bench.made m join bench.people p using (n) order by i
        """,
        """
        insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
        select p.account_id, m.id, 'product', 1, format('01900000-0002-7000-8000-%s', lpad((1 + i % 100)::text, 12, '0'))::uuid,
               'product_image'
          from bench.made m join bench.people p using (n) order by i
        """,
        """
        insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
        select p.account_id, m.id, 'result', 1, format('01900000-0003-7000-8000-%s', lpad((1 + i % 100)::text, 12, '0'))::uuid,
               'generated_image'
          from bench.made m join bench.people p using (n) where m.status = 'completed' order by i
        """,
        "vacuum analyze",
        "checkpoint",
    )


def measure(env: Environment, *, rows: int) -> list[Line]:
    """Statements and whole requests, each in pairs."""
    for name, many in ((SMALL, 10_000), (LARGE, rows)):
        env.copy(name)
        env.run(name, "set synchronous_commit = off", *_backfill(many))
    return [*_statements(env), *_requests(env)]


def _statements(env: Environment) -> list[Line]:
    lines: list[Line] = []
    with (
        psycopg.connect(env.uri("app", SMALL), autocommit=True, prepare_threshold=0) as small,
        psycopg.connect(env.uri("app", LARGE), autocommit=True, prepare_threshold=0) as large,
    ):
        middle = {side: _middle(side) for side in (small, large)}
        page: dict[str, Any] = {"account": ONE, "limit": PAGE + 1}
        cases: list[tuple[str, Statement[Any], Callable[[psycopg.Connection[Any]], dict[str, Any]]]] = [
            ("first page", queries.HISTORY, lambda _: {**page, "before": FIRST}),
            ("a page in the middle", queries.HISTORY, lambda on: {**page, "before": middle[on]}),
            ("first page, completed", queries.HISTORY_BY_STATUS, lambda _: {**page, "before": FIRST, "status": "completed"}),
            ("first page, failed", queries.HISTORY_BY_STATUS, lambda _: {**page, "before": FIRST, "status": "failed"}),
            ("first page of one with 1000", queries.HISTORY, lambda _: {**page, "before": FIRST, "account": TWO}),
            ("counts", queries.COUNTS, lambda _: {"account": ONE}),
            ("counts of one with 1000", queries.COUNTS, lambda _: {"account": TWO}),
        ]
        for name, statement, arguments in cases:
            if names := _scanned(large, statement, arguments(large)):
                raise AssertionError(f"{name}: reads the whole of {', '.join(names)}")
            own, other = _pairs(
                lambda: large.execute(statement.sql, arguments(large)).fetchall(),
                lambda: small.execute(statement.sql, arguments(small)).fetchall(),
            )
            lines.append(Line(f"history, SQL: {name}", own, other, "ms", own / other, at_most=GOAL))
    return lines


def _requests(env: Environment) -> list[Line]:
    lines: list[Line] = []
    with web(env, SMALL, 1) as small, web(env, LARGE, 1) as large:
        clients = [_Client(env, side.url) for side in (large, small)]
        for name, path in (
            ("first page", f"/api/v1/generations?limit={PAGE}"),
            ("first page, failed", f"/api/v1/generations?limit={PAGE}&status=failed"),
        ):
            own, other = _pairs(lambda: clients[0].get(path), lambda: clients[1].get(path))
            lines.append(Line(f"history, HTTP: {name}", own, other, "ms", own / other, at_most=GOAL))
    return lines


class _Client:
    def __init__(self, env: Environment, url: str) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(place.hostname), place.port)
        token = AccessTokens(connect(env.settings, env.uri()).keys).issue(ONE, ONE, "user")
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> bytes:
        """The body of a page that is there."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:500]
        return body


def _middle(connection: psycopg.Connection[Any]) -> UUID:
    row = connection.execute(
        "select id from studio.generations where account_id = %s order by id"
        " offset (select count(*) / 2 from studio.generations where account_id = %s) limit 1",
        (ONE, ONE),
    ).fetchone()
    assert row
    return row[0]


def _scanned(connection: psycopg.Connection[Any], statement: Statement[Any], arguments: dict[str, Any]) -> set[str]:
    """Tables of the studio that the plan reads from end to end."""
    row = connection.execute(b"explain (format json) " + statement.sql.encode(), arguments).fetchone()
    assert row
    relations: set[str] = set()
    todo: list[dict[str, Any]] = [row[0][0]["Plan"]]
    while todo:
        node = todo.pop()
        todo += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in {"generations", "generation_files"}:
            relations.add(node["Relation Name"])
    return relations


def _pairs(ours: Callable[[], object], baseline: Callable[[], object]) -> tuple[float, float]:
    """Medians of both in milliseconds, after a warm-up; which comes first alternates."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(RUNS + 10):
        for side in (0, 1) if number % 2 else (1, 0):
            start = time.perf_counter()
            (baseline if side else ours)()
            if number >= 10:
                taken[side].append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken[0]), statistics.median(taken[1])
