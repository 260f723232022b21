"""The commands report, members and conform, the reporting role, and the demo run on a site of its own."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from rich.console import Console

from tests.reports import helpers
from tests.reports.helpers import made
from tests.reports.test_figures import HISTORY
from tests.server import Site, serving
from tests.stripe_mirror.helpers import ingest
from vetrina.cli import main
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs
from vetrina.core.database.connection import Database
from vetrina.core.embedded import Cluster, credentials, ensure_roles
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings, read
from vetrina.demo import cogento
from vetrina.demo.runner import DemoRun
from vetrina.prepare import prepare
from vetrina.reports import actions
from vetrina.stripe_mirror.consistency import sample_data as sample


@pytest.fixture
def shell(owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let commands use the test's database, filled with the business of test_figures."""
    monkeypatch.setenv("VETRINA_DATABASE_URL", owner)
    monkeypatch.setenv("VETRINA_DATA", str(tmp_path / "data"))
    # Loggers keep the stream that they were configured with, which is closed after the test.
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    asyncio.run(_business(owner))
    return owner


async def _business(uri: str) -> None:
    db = Database(uri, size=2)
    await db.open()
    await ingest(db, [*HISTORY, *(made(sample.customer(n, helpers.at("2026-01-01")), "2026-01-01") for n in range(1, 6))])
    await db.close()


def test_reports(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> str:
        assert main(["report", *words]) == exits.OK
        return capsys.readouterr().out

    assert "mrr" in run() and "renewals" in run()
    assert "€24.00" in run("mrr", "--as-of", "2026-04-30")
    data = json.loads(run("mrr", "--as-of", "2026-04-30", "--months", "4", "--json"))
    assert [row["closing"] for row in data["rows"] if row["currency"] == "eur"] == [3000, 4500, 3000, 2400]
    rows = list(csv.DictReader(io.StringIO(run("mrr", "--as-of", "2026-03-05", "--months", "1", "--csv"))))
    assert [(row["currency"], row["contraction"], row["closing"]) for row in rows] == [("eur", "-800", "4600")]
    assert "Verified: every stored state" in run("prove")
    assert main(["report", "profit"]) == exits.USAGE
    assert main(["report", "mrr", "--as-of", "tomorrow"]) == exits.USAGE
    assert "There is no report profit" in capsys.readouterr().err
    with psycopg.connect(shell, autocommit=True) as connection:
        connection.execute("update reports.states set monthly = monthly + 1 where monthly > 0")
        connection.execute("update reports.progress set done_until = now() + interval '1 hour'")
        # Without this a refresh would repair the change before the comparison.
        connection.execute("create or replace function reports.refresh(p_all boolean) returns bigint language sql as 'select 0'")
    assert main(["report", "prove"]) == exits.FAILED
    assert "is stored, but not computed" in capsys.readouterr().out


def test_members(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> str:
        assert main(["members", *words]) == exits.OK
        return capsys.readouterr().out

    assert "member1@example.com" in run("membership_type=Family")
    result = json.loads(run("membership_type=Family", "--json"))
    assert [item["id"] for item in result] == ["cus_sample0000000001"]
    plan = run("membership_type=Family", "--explain")
    assert "stripe_mirror" not in plan and "customers" in plan and "Execution Time" in plan
    rows = list(csv.DictReader(io.StringIO(run("--of", "subscriptions", "subscription_type=Plus", "--csv"))))
    assert {row["id"] for row in rows} == {f"sub_sample{n:010d}" for n in (1, 5, 101)}
    assert main(["members", "=x"]) == exits.USAGE


def test_conform(shell: str, owner: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "cogento", "style-studio"]) == exits.OK
    printed = capsys.readouterr().out
    assert " hold, " in printed and " differ on purpose, 0 missing" in printed and "not checked" in printed
    assert main(["conform"]) == exits.FAILED, "documents without a schema of views are missing"
    printed = capsys.readouterr().out
    assert "doc_contacts.posts.price_point: there is no such schema" in printed
    assert "doc_gallery.orders.customer_id: " in printed and "is in no document" not in printed
    assert main(["conform", "cogneto"]) == exits.USAGE
    capsys.readouterr()
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("drop view doc_cogento.user_roles")
    assert main(["conform", "cogento", "style-studio", "--json"]) == exits.FAILED
    wrong = {item["schema"]: [one["thing"] for one in item["outcomes"] if one["verdict"] == "missing"]
             for item in json.loads(capsys.readouterr().out)}  # fmt: skip
    assert wrong["doc_style_studio"] == [] and [name for name in wrong["doc_cogento"] if name.startswith("doc_")] == [
        f"doc_cogento.user_roles.{column}" for column in ("user_id", "role", "created_at")]  # fmt: skip


@pytest.fixture(scope="module")
def cluster_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start an embedded cluster in a new data folder, with its roles and migrations, as `vetrina up` does."""
    data = tmp_path_factory.mktemp("own") / "data"
    cluster = Cluster(data, settings={"fsync": "off"})
    asyncio.run(cluster.start())
    ensure_roles(data)
    asyncio.run(prepare(read({"VETRINA_DATA": str(data)}), cluster.uri("owner")))
    yield data
    asyncio.run(cluster.stop())


def at(data: Path, role: Literal["app", "reporting"]) -> str:
    """Return a role's connection URI."""
    file = credentials.read(data)
    assert file is not None
    return f"postgresql://vetrina_{role}:{file.passwords[role]}@127.0.0.1:{file.port}/vetrina"


async def test_long_queries_of_the_reporting_role_are_cancelled(cluster_data: Path) -> None:
    db = Database(at(cluster_data, "app"), size=2)
    await db.open()

    async def cut_off(seconds: float) -> int:
        async with db.read() as tx:
            return await actions.terminate_long_queries(tx, seconds=seconds)

    with psycopg.connect(at(cluster_data, "reporting"), autocommit=True) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("1min",)
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
        # A minute is too long for a test: check that the role's own setting stops a statement.
        connection.execute("set statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select count(*) from generate_series(1, 100000000)")
        # A session that resets the setting is cancelled by the job.
        connection.execute("set statement_timeout = 0")
        waiting = asyncio.create_task(asyncio.to_thread(connection.execute, "select pg_sleep(20)"))
        await asyncio.sleep(0.6)
        assert (await cut_off(60), waiting.done()) == (0, False)
        assert await cut_off(0.5) == 1
        with pytest.raises(psycopg.errors.QueryCanceled):
            await asyncio.wait_for(waiting, 5)
    await db.close()


async def test_demo_cogento_runs(cluster_data: Path) -> None:
    """Run a small demo against a whole site."""
    settings: Settings = read({"VETRINA_DATA": str(cluster_data), "STRIPE_WEBHOOK_SECRET": "whsec_demo"})
    uri = at(cluster_data, "app")
    async with serving(connect(settings, uri)) as site:
        assert isinstance(site, Site)
        story = DemoRun(site.url, Console(file=io.StringIO()))
        await asyncio.to_thread(cogento.run, story, settings, members=40)
    assert story.checks >= 20, story.checks
    with psycopg.connect(uri) as connection:
        assert connection.execute("select count(*) > 300 from stripe_mirror.events").fetchone() == (True,)
