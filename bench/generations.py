"""Starting a generation over HTTP against pgbench running the same statement, one call a transaction."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench import people
from bench.house import House, Web, web
from bench.race import Round, by_pgbench, over_http
from bench.table import Line

DATABASE = "start"
CLIENTS = (1, 32, 128)
GOALS = {32: 0.7, 128: 1.0}
PROCESSES = 2

# In one statement, and so of one moment: the last requests are still on their way when a round ends.
_ROWS = f"""
select jsonb_build_object(
  'rows', (select count(*) from studio.generations) - {people.RICH * people.BEFORE},
  'jobs', (select count(*) from procrastinate_jobs) - {people.RICH * people.BEFORE},
  'owed', (select sum(held) from wallet.wallets) - {people.RICH * people.BEFORE},
  'poor', (select count(*) from studio.generations join bench.people using (account_id) where n > {people.RICH}))
"""


def measure(at: House, *, rounds: int, seconds: float) -> list[Line]:
    """The race at each number of clients, then at 32 with a fifth refused."""
    at.copy(DATABASE)
    everybody = people.settle(at, DATABASE)
    rich = people.requests(everybody[: people.RICH], at.data / "rich.txt")
    mixed = people.requests(everybody, at.data / "mixed.txt")
    alone = people.script(at, DATABASE, people.RICH, at.data / "rich.sql")
    among = people.script(at, DATABASE, people.RICH + people.POOR, at.data / "mixed.sql")
    lines: list[Line] = []
    with web(at, DATABASE, PROCESSES) as site:
        for clients in CLIENTS:
            lines += _race(at, site, clients, rounds, seconds, rich, alone, mixed=False)
        lines += _race(at, site, 32, rounds, seconds, mixed, among, mixed=True)
        lines += _statements(at, site, rich)
    return lines


def _race(
    at: House, site: Web, clients: int, rounds: int, seconds: float, requests: Path, script: Path, *, mixed: bool
) -> list[Line]:
    ours: list[Round] = []
    theirs: list[Round] = []
    at.run(DATABASE, *people.RESET)
    over_http(at, site, clients, 1, requests)  # the first ones warm up
    by_pgbench(at, DATABASE, clients, 1, script)
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            at.run(DATABASE, *people.RESET)
            if side:
                theirs.append(by_pgbench(at, DATABASE, clients, seconds, script))
            else:
                ours.append(over_http(at, site, clients, seconds, requests))
                _check(at, ours[-1], clients, mixed=mixed)
    ratio = statistics.median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))
    mine, other = _median(ours), _median(theirs)
    what = f"start, {clients} client{'s' * (clients > 1)}" + (", a fifth refused" if mixed else "")
    goal = None if mixed else GOALS.get(clients)
    return [
        Line(f"{what}: rate", mine.rate, other.rate, "/s", ratio, at_least=goal),
        Line(f"{what}: p50", mine.p50, other.p50, "ms", mine.p50 / other.p50),
        Line(f"{what}: p99", mine.p99, other.p99, "ms", mine.p99 / other.p99, below=100.0),
        Line(
            f"{what}: processor in PostgreSQL", mine.database_us, other.database_us, "us", mine.database_us / other.database_us
        ),
        Line(f"{what}: processor in the web processes", mine.web_us, None, "us", note=f"busiest {mine.share:.0%}"),
    ]


def _check(at: House, found: Round, clients: int, *, mixed: bool) -> None:
    """Every answer is 201 (or its own 402), and there is a row for each 201; nothing more, but for those on
    their way when the clock stopped."""
    told = at.one(DATABASE, _ROWS)
    rows, jobs, owed, poor = (told[name] for name in ("rows", "jobs", "owed", "poor"))
    assert found.other == 0, f"{found.other} answers were neither 201 nor 402"
    assert (found.refused > 0) == mixed, f"{found.refused} were refused"
    assert found.created <= rows <= found.created + clients, f"{found.created} times 201, {rows} rows"
    assert rows == jobs == owed, f"{rows} rows, {jobs} jobs, {owed} credits held"
    assert poor == 0, f"{poor} generations of people who cannot pay"


def _statements(at: House, site: Web, requests: Path) -> list[Line]:
    """Statements that one request costs, counted by the server for a client alone."""
    at.run(DATABASE, *people.RESET)
    at.run(
        DATABASE,
        "create extension if not exists pg_stat_statements",
        "alter system set pg_stat_statements.track = 'top'",
        "select pg_reload_conf()",
        "select pg_sleep(0.2)",
        "select pg_stat_statements_reset()",
    )
    over_http(at, site, 1, 1, requests)
    calls = at.one(
        DATABASE,
        "select coalesce(sum(calls), 0)::bigint from pg_stat_statements s join pg_roles r on r.oid = s.userid"
        " where r.rolname = 'vetrina_app'",
    )
    rows = at.one(DATABASE, _ROWS)["rows"]
    at.run(DATABASE, "alter system set pg_stat_statements.track = 'none'", "select pg_reload_conf()")
    return [Line("start, 1 client: statements a request", calls / rows, None, "", at_most=1.01)]


def _median(rounds: list[Round]) -> Round:
    def of(name: str) -> float:
        return statistics.median(getattr(each, name) for each in rounds)

    return Round(
        rate=of("rate"),
        p50=of("p50"),
        p99=of("p99"),
        created=sum(each.created for each in rounds),
        refused=sum(each.refused for each in rounds),
        other=0,
        database_us=of("database_us"),
        web_us=of("web_us"),
        share=of("share"),
    )
