"""The shell's commands: reports, members, conform; and the story of the demo on a site of its own."""

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

from tests.reports import helpers as tools
from tests.reports.helpers import made
from tests.reports.test_figures import HISTORY
from tests.server import Site, serving
from tests.stripe_mirror.helpers import take
from vetrina.cli import main
from vetrina.core import logs
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.database.connection import Database
from vetrina.core.embedded import Cluster, credentials, ensure_roles
from vetrina.core.services import connect
from vetrina.core.settings import Settings, read
from vetrina.demo import cogento
from vetrina.demo.runner import Story
from vetrina.prepare import prepare
from vetrina.reports import actions
from vetrina.stripe_mirror.consistency import sample_data as sample


@pytest.fixture
def shell(owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Commands run on the test's database, in which the business of test_figures stands."""
    monkeypatch.setenv("VETRINA_DATABASE_URL", owner)
    monkeypatch.setenv("VETRINA_DATA", str(tmp_path / "data"))
    # Loggers keep the stream that they began with, which here is closed after the test.
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    asyncio.run(_business(owner))
    return owner


async def _business(uri: str) -> None:
    db = Database(uri, size=2)
    await db.open()
    await take(db, [*HISTORY, *(made(sample.customer(n, tools.at("2026-01-01")), "2026-01-01") for n in range(1, 6))])
    await db.close()


def test_reports(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert main(["report", *words]) == exits.OK
        return capsys.readouterr().out

    assert "mrr" in said() and "renewals" in said()
    assert "€24.00" in said("mrr", "--as-of", "2026-04-30")
    data = json.loads(said("mrr", "--as-of", "2026-04-30", "--months", "4", "--json"))
    assert [row["closing"] for row in data["rows"] if row["currency"] == "eur"] == [3000, 4500, 3000, 2400]
    rows = list(csv.DictReader(io.StringIO(said("mrr", "--as-of", "2026-03-05", "--months", "1", "--csv"))))
    assert [(row["currency"], row["contraction"], row["closing"]) for row in rows] == [("eur", "-800", "4600")]
    assert "The reports follow from the history" in said("prove")
    assert main(["report", "profit"]) == exits.USAGE
    assert main(["report", "mrr", "--as-of", "tomorrow"]) == exits.USAGE
    assert "There is no report profit" in capsys.readouterr().err
    with psycopg.connect(shell, autocommit=True) as connection:
        connection.execute("update reports.states set monthly = monthly + 1 where monthly > 0")
        connection.execute("update reports.progress set done_until = now() + interval '1 hour'")
        # Nothing is worked out anew, or it would be right again.
        connection.execute("create or replace function reports.refresh(p_all boolean) returns bigint language sql as 'select 0'")
    assert main(["report", "prove"]) == exits.FAILED
    assert "is kept, but does not follow" in capsys.readouterr().out


def test_members(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert main(["members", *words]) == exits.OK
        return capsys.readouterr().out

    assert "member1@example.com" in said("membership_type=Family")
    found = json.loads(said("membership_type=Family", "--json"))
    assert [each["id"] for each in found] == ["cus_sample0000000001"]
    plan = said("membership_type=Family", "--explain")
    assert "stripe_mirror" not in plan and "customers" in plan and "Execution Time" in plan
    rows = list(csv.DictReader(io.StringIO(said("--of", "subscriptions", "subscription_type=Plus", "--csv"))))
    assert {row["id"] for row in rows} == {f"sub_sample{n:010d}" for n in (1, 5, 101)}
    assert main(["members", "=x"]) == exits.USAGE


def test_conform(shell: str, owner: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform"]) == exits.OK
    assert "Cogento" in capsys.readouterr().out
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("drop view doc_cogento.user_roles")
    assert main(["conform", "--json"]) == exits.FAILED
    wrong = {each["schema"]: each["wrong"] for each in json.loads(capsys.readouterr().out)}
    assert len(wrong["doc_cogento"]) == 3 and wrong["doc_style_studio"] == []


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with a running embedded cluster, its roles as `vetrina up` makes them, migrated."""
    data = tmp_path_factory.mktemp("own") / "data"
    cluster = Cluster(data, settings={"fsync": "off"})
    asyncio.run(cluster.start())
    ensure_roles(data)
    asyncio.run(prepare(read({"VETRINA_DATA": str(data)}), cluster.uri("owner")))
    yield data
    asyncio.run(cluster.stop())


def at(data: Path, role: Literal["app", "reporting"]) -> str:
    """How a role connects."""
    found = credentials.read(data)
    assert found is not None
    return f"postgresql://vetrina_{role}:{found.passwords[role]}@127.0.0.1:{found.port}/vetrina"


async def test_the_reporting_role_is_cut_off(own: Path) -> None:
    db = Database(at(own, "app"), size=2)
    await db.open()

    async def cut_off(seconds: float) -> int:
        async with db.read() as tx:
            return await actions.cut_off(tx, seconds=seconds)

    with psycopg.connect(at(own, "reporting"), autocommit=True) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("1min",)
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
        # A minute is long for a test: what the role is given is what stops a statement.
        connection.execute("set statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select count(*) from generate_series(1, 100000000)")
        # And who sets it aside is stopped from outside.
        connection.execute("set statement_timeout = 0")
        waiting = asyncio.create_task(asyncio.to_thread(connection.execute, "select pg_sleep(20)"))
        await asyncio.sleep(0.6)
        assert (await cut_off(60), waiting.done()) == (0, False)
        assert await cut_off(0.5) == 1
        with pytest.raises(psycopg.errors.QueryCanceled):
            await asyncio.wait_for(waiting, 5)
    await db.close()


async def test_the_demos_story_is_true(own: Path) -> None:
    """A smaller one than people see, on a whole site."""
    settings: Settings = read({"VETRINA_DATA": str(own), "STRIPE_WEBHOOK_SECRET": "whsec_demo"})
    uri = at(own, "app")
    async with serving(connect(settings, uri)) as site:
        assert isinstance(site, Site)
        story = Story(site.url, Console(file=io.StringIO()))
        await asyncio.to_thread(cogento.tell, story, settings, members=40)
    assert story.checks >= 20, story.checks
    with psycopg.connect(uri) as connection:
        assert connection.execute("select count(*) > 300 from stripe_mirror.events").fetchone() == (True,)
