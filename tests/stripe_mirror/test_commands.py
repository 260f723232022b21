"""`vetrina stripe ...`: output, exit codes, and recovery from kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.fakes.stripe_lists import KEY, StripeListsFake
from vetrina.core.command_line import exit_codes as exits
from vetrina.stripe_mirror.consistency import sample_data as sample

NOW = int(time.time())


@pytest.fixture
def environment(database: str, lists: StripeListsFake, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a shell with the fake's API key."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("VETRINA_", "STRIPE_"))}
    return {**inherited, "VETRINA_DATABASE_URL": database, "VETRINA_DATA": str(tmp_path), "STRIPE_API_KEY": KEY,
            "STRIPE_API_BASE": lists.url, "VETRINA_LOG_FORMAT": "text"}  # fmt: skip


def stripe(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "vetrina", "stripe", *arguments], env=environment, capture_output=True, text=True, timeout=60
    )


def one(database: str, sql: str) -> object:
    """Return the first value of a query."""
    with psycopg.connect(database) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row[0] if row else None


def test_backfill_rebuild_and_status(environment: dict[str, str], database: str, owner: str, lists: StripeListsFake) -> None:
    lists.put("customers", *(sample.customer(n, NOW - 900 - n) for n in range(130)))
    filled = stripe(environment, "backfill", "customers", "--json")
    assert filled.returncode == 0, filled.stderr
    assert json.loads(filled.stdout)[0]["fetched"] == 130
    assert "backfill customers" in filled.stderr and "130" in filled.stderr
    with psycopg.connect(owner) as connection:
        connection.execute("update stripe_mirror.customers set data = data || '{\"name\": \"x\"}' where id like '%7'")
    differs = stripe(environment, "rebuild", "customers", "--diff")
    assert differs.returncode == exits.FAILED
    assert "cus_sample0000000007: other data" in differs.stdout
    assert 'name: "Member 7" expected, "x" found' in differs.stdout and "13 differences" in differs.stdout
    assert stripe(environment, "rebuild", "customers").returncode == exits.OK
    assert stripe(environment, "rebuild", "customers", "--diff").returncode == exits.OK
    document = json.loads(stripe(environment, "status", "--json").stdout)
    customers = next(item for item in document["kinds"] if item["kind"] == "customers")
    assert (customers["rows"], customers["unresolved"], document["api_key"]) == (130, 0, True)
    assert "customers" in stripe(environment, "status").stdout


def test_backfill_resumes_after_kill_9(environment: dict[str, str], database: str, lists: StripeListsFake) -> None:
    lists.put("customers", *(sample.customer(n, NOW - 90_000 + n * 50) for n in range(1500)))
    lists.delay = 0.1
    command = [sys.executable, "-m", "vetrina", "stripe", "backfill", "customers", "--at-once", "2"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while int(str(one(database, "select count(*) from stripe_mirror.customers"))) < 400 and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    stored = int(str(one(database, "select sum(fetched) from stripe_mirror.ranges")))
    assert 400 <= stored < 1500
    lists.delay = 0
    again = json.loads(stripe(environment, "backfill", "customers", "--json").stdout)[0]
    assert (again["fetched"], again["resumed"]) == (1500, stored)
    assert one(database, "select count(*) from stripe_mirror.customers") == 1500


def test_refusals_print_one_line(environment: dict[str, str]) -> None:
    unknown = stripe(environment, "backfill", "cutomers")
    assert (unknown.returncode, "cutomers is not mirrored" in unknown.stderr) == (exits.FAILED, True)
    keyless = stripe({**environment, "STRIPE_API_KEY": ""}, "backfill", "customers")
    assert (keyless.returncode, "STRIPE_API_KEY" in keyless.stderr) == (exits.FAILED, True)
    assert "Traceback" not in unknown.stderr + keyless.stderr


def test_fuzz(environment: dict[str, str], database: str) -> None:
    result = stripe(environment, "fuzz", "--permutations", "20")
    assert result.returncode == 0 and "one state" in result.stdout, result.stderr
    assert one(database, "select count(*) from stripe_mirror.events") == 0


def test_links(environment: dict[str, str], lists: StripeListsFake) -> None:
    assert stripe(environment, "link", "nobody@example.com", "cus_1").returncode == exits.FAILED
    assert stripe(environment, "unlink", "cus_1").returncode == exits.FAILED
    assert "None." in stripe(environment, "links", "--suggestions").stdout


def test_reconcile(environment: dict[str, str], database: str, lists: StripeListsFake) -> None:
    lists.put("events", *(sample.event("customer.created", sample.customer(n, NOW - 60), NOW - 60, n) for n in range(12)))
    result = stripe(environment, "reconcile", "--json")
    assert json.loads(result.stdout)["new_events"] == 12, result.stderr
    assert one(database, "select count(*) from stripe_mirror.customers") == 12
