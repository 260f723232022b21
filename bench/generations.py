"""Starting a generation over HTTP against pgbench running the same statement, one call a transaction."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench import accounts_fixture
from bench.environment import Environment, Web, web
from bench.load_test import Round, run_http, run_pgbench
from bench.report import Line

DATABASE = "start"
CLIENTS = (1, 32, 128)
GOALS = {32: 0.7, 128: 1.0}
PROCESSES = 2

# In one statement, and so of one moment: the last requests are still on their way when a round ends.
_ROWS = f"""
select jsonb_build_object(
  'rows', (select count(*) from studio.generations) - {accounts_fixture.FUNDED * accounts_fixture.EARLIER_GENERATIONS},
  'jobs', (select count(*) from procrastinate_jobs) - {accounts_fixture.FUNDED * accounts_fixture.EARLIER_GENERATIONS},
  'owed', (select sum(held) from wallet.wallets) - {accounts_fixture.FUNDED * accounts_fixture.EARLIER_GENERATIONS},
  'poor', (select count(*) from studio.generations join bench.people using (account_id) where n > {accounts_fixture.FUNDED}))
"""


def measure(env: Environment, *, rounds: int, seconds: float) -> list[Line]:
    """The race at each number of clients, then at 32 with a fifth refused."""
    env.copy(DATABASE)
    accounts = accounts_fixture.create_accounts(env, DATABASE)
    funded_requests = accounts_fixture.write_requests(accounts[: accounts_fixture.FUNDED], env.data / "rich.txt")
    mixed = accounts_fixture.write_requests(accounts, env.data / "mixed.txt")
    funded_script = accounts_fixture.write_pgbench_script(env, DATABASE, accounts_fixture.FUNDED, env.data / "rich.sql")
    mixed_script = accounts_fixture.write_pgbench_script(env, DATABASE, len(accounts), env.data / "mixed.sql")
    lines: list[Line] = []
    with web(env, DATABASE, PROCESSES) as site:
        for clients in CLIENTS:
            lines += _race(env, site, clients, rounds, seconds, funded_requests, funded_script, mixed=False)
        lines += _race(env, site, 32, rounds, seconds, mixed, mixed_script, mixed=True)
        lines += _statements(env, site, funded_requests)
    return lines


def _race(
    env: Environment, site: Web, clients: int, rounds: int, seconds: float, requests: Path, script: Path, *, mixed: bool
) -> list[Line]:
    ours: list[Round] = []
    baseline: list[Round] = []
    env.run(DATABASE, *accounts_fixture.RESET)
    run_http(env, site, clients, 1, requests)  # the first ones warm up
    run_pgbench(env, DATABASE, clients, 1, script)
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            env.run(DATABASE, *accounts_fixture.RESET)
            if side:
                baseline.append(run_pgbench(env, DATABASE, clients, seconds, script))
            else:
                ours.append(run_http(env, site, clients, seconds, requests))
                _check(env, ours[-1], clients, mixed=mixed)
    ratio = statistics.median(a.rate / b.rate for a, b in zip(ours, baseline, strict=True))
    own, other = _median(ours), _median(baseline)
    what = f"start, {clients} client{'s' * (clients > 1)}" + (", a fifth refused" if mixed else "")
    goal = None if mixed else GOALS.get(clients)
    return [
        Line(f"{what}: rate", own.rate, other.rate, "/s", ratio, at_least=goal),
        Line(f"{what}: p50", own.p50, other.p50, "ms", own.p50 / other.p50),
        Line(f"{what}: p99", own.p99, other.p99, "ms", own.p99 / other.p99, below=100.0),
        Line(f"{what}: processor in PostgreSQL", own.database_us, other.database_us, "us", own.database_us / other.database_us),
        Line(f"{what}: processor in the web processes", own.web_us, None, "us", note=f"busiest {own.share:.0%}"),
    ]


def _check(env: Environment, round_result: Round, clients: int, *, mixed: bool) -> None:
    """Check that rows match the responses.

    Every response is 201 or an expected 402, and each 201 has a row; other rows belong to requests in flight when the clock
    stopped.
    """
    result = env.one(DATABASE, _ROWS)
    rows, jobs, owed, poor = (result[name] for name in ("rows", "jobs", "owed", "poor"))
    assert round_result.other == 0, f"{round_result.other} answers were neither 201 nor 402"
    assert (round_result.refused > 0) == mixed, f"{round_result.refused} were refused"
    assert round_result.created <= rows <= round_result.created + clients, f"{round_result.created} times 201, {rows} rows"
    assert rows == jobs == owed, f"{rows} rows, {jobs} jobs, {owed} credits held"
    assert poor == 0, f"{poor} generations of people who cannot pay"


def _statements(env: Environment, site: Web, requests: Path) -> list[Line]:
    """Statements that one request costs, counted by the server for a client alone."""
    env.run(DATABASE, *accounts_fixture.RESET)
    env.run(
        DATABASE,
        "create extension if not exists pg_stat_statements",
        "alter system set pg_stat_statements.track = 'top'",
        "select pg_reload_conf()",
        "select pg_sleep(0.2)",
        "select pg_stat_statements_reset()",
    )
    run_http(env, site, 1, 1, requests)
    calls = env.one(
        DATABASE,
        "select coalesce(sum(calls), 0)::bigint from pg_stat_statements s join pg_roles r on r.oid = s.userid"
        " where r.rolname = 'vetrina_app'",
    )
    rows = env.one(DATABASE, _ROWS)["rows"]
    env.run(DATABASE, "alter system set pg_stat_statements.track = 'none'", "select pg_reload_conf()")
    return [Line("start, 1 client: statements a request", calls / rows, None, "", at_most=1.01)]


def _median(rounds: list[Round]) -> Round:
    def of(name: str) -> float:
        return statistics.median(getattr(item, name) for item in rounds)

    return Round(
        rate=of("rate"),
        p50=of("p50"),
        p99=of("p99"),
        created=sum(item.created for item in rounds),
        refused=sum(item.refused for item in rounds),
        other=0,
        database_us=of("database_us"),
        web_us=of("web_us"),
        share=of("share"),
    )
