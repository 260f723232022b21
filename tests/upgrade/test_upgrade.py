"""A database of any earlier version comes up under this one with every row, and its proofs hold."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from psycopg import sql

from tests.rules.code import ROOT
from tests.scenarios.process import up
from tests.upgrade.conftest import HERE, VERSIONS, restore
from vetrina.commands.conform import examine
from vetrina.core import audit
from vetrina.core.database.connection import Database
from vetrina.core.embedded import Cluster, Lock, ensure_roles, make_folder
from vetrina.core.jobs import queue as jobs
from vetrina.core.settings.environment import read
from vetrina.payments.settlement import verify as payment_books
from vetrina.prepare import prepare
from vetrina.reports.conformance import documents
from vetrina.wallet.ledger import actions as ledger
from vetrina.worker import load

PASSWORD = "correct horse 9 battery"
UNCHANGED = {("wallet", "entries"), ("core", "audit_logs"), ("stripe_mirror", "events"), ("payments", "failed_transactions")}
"""Append-only tables: not only their keys, each row's content is compared. A column that was added is null in them."""
RENAMED = {("media", "files"): ("media", "stored_files")}
"""Tables of an earlier version, under the names that they have now."""
Rows = dict[tuple[str, str], dict[str, dict[str, Any]]]

_TABLES = """
    select n.nspname, c.relname, array_agg(a.attname order by a.attname)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_index i on i.indrelid = c.oid and i.indisprimary
      join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
     where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)' group by 1, 2 order by 1, 2
"""


def rows(uri: str) -> Rows:
    """Every row of every table by its primary key."""
    result: Rows = {}
    with psycopg.connect(uri) as connection:
        for schema, table, key in connection.execute(_TABLES).fetchall():
            content = connection.execute(sql.SQL("select to_jsonb(t) from {} t").format(sql.Identifier(schema, table))).fetchall()
            result[schema, table] = {json.dumps([row[column] for column in key]): row for (row,) in content}
    return result


async def faults(uri: str) -> list[Any]:
    """What `verify`, `conform` and `audit verify` find."""
    db = Database(uri, size=2, name="test upgrade")
    await db.open()
    try:
        async with db.tx() as tx:
            wrong: list[Any] = [*await ledger.faults(tx), *await payment_books.faults(tx), *await audit.faults(tx)]
    finally:
        await db.close()
    return [*wrong, *(document for document in await asyncio.to_thread(examine, uri, uri, documents()) if document.wrong)]


def test_every_version_of_the_changelog_has_a_dump() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert sorted(released) == VERSIONS and released
    for version in VERSIONS:
        assert (HERE / version / "database.dump").stat().st_size < 1_000_000


async def test_a_dump_has_rows_in_every_table(restored: str) -> None:
    assert [table for table, content in rows(restored).items() if not content] == []


async def test_an_upgrade_keeps_every_row_and_every_proof_holds(restored: str) -> None:
    before = rows(restored)
    applied = await prepare(read({}), restored)
    after = rows(restored)
    for earlier, content in before.items():
        table = RENAMED.get(earlier, earlier)
        lost = content.keys() - after[table].keys()
        assert not lost, (table, sorted(lost)[:3])
        if table in UNCHANGED:
            same_columns = {key: {name: after[table][key][name] for name in row} for key, row in content.items()}
            assert same_columns == content, table
            added = {name for key, row in content.items() for name in after[table][key].keys() - row.keys()}
            assert all(after[table][key][name] is None for key in content for name in added), (table, added)
    assert await faults(restored) == []
    assert await prepare(read({}), restored) == [], applied


async def test_an_upgrade_rewrites_no_table(restored: str) -> None:
    """A table that is rewritten is locked for as long as that takes. A truncated or rewritten one has another file."""
    files = """select n.nspname || '.' || c.relname, c.relfilenode from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)'"""
    with psycopg.connect(restored, autocommit=True) as connection:
        before = dict(connection.execute(files).fetchall())
        await prepare(read({}), restored)
        after = dict(connection.execute(files).fetchall())
        current = {".".join(earlier): ".".join(name) for earlier, name in RENAMED.items()}
        assert {table for table, file in before.items() if after[current.get(table, table)] != file} == set()
        connection.execute("alter table wallet.packs alter column quantity type bigint")
        assert dict(connection.execute(files).fetchall())["wallet.packs"] != before["wallet.packs"]


async def test_an_upgrade_mends_confirmations_of_no_identifier(restored: str, version: str) -> None:
    """0.1.0 allowed them. Mending fires deferred triggers, which must not be pending when the table is altered."""
    if version != "0.1.0":
        return
    with psycopg.connect(restored, autocommit=True) as connection:
        connection.execute("insert into accounts.accounts (id, phone, phone_verified_at, email_verified_at)"
                           " values (core.new_id(), '+4915112345678', now(), now())")  # fmt: skip
        await prepare(read({}), restored)
        row = connection.execute("select email_verified_at from accounts.accounts where phone = '+4915112345678'").fetchone()
        assert row == (None,)
    assert await faults(restored) == []


async def test_jobs_queued_by_an_earlier_version_run(restored: str) -> None:
    queued = {job["task_name"] for job in rows(restored)["public", "procrastinate_jobs"].values() if job["status"] == "todo"}
    load(read({}))
    assert len(queued) > 30
    assert queued - jobs.app.tasks.keys() == set()


async def test_9_11_upgrade_collects_shortfalls(restored: str, version: str) -> None:
    if version != "0.1.0":
        return
    balances = "select balance, held from wallet.wallets w join accounts.accounts a on a.id = account_id and asset = 'token'"
    with psycopg.connect(restored, autocommit=True) as connection:
        assert connection.execute(f"{balances} where email = 'eve4@example.com'".encode()).fetchone() == (187, 22)
        await prepare(read({}), restored)
        assert connection.execute(f"{balances} where email = 'eve4@example.com'".encode()).fetchone() == (0, 22)
        owed = connection.execute(b"select sum(owed), sum(collected) from wallet.shortfalls where collected > 0").fetchone()
        assert owed == (13, 187)


def test_a_data_folder_of_an_earlier_version_starts(tmp_path: Path, version: str) -> None:
    data = tmp_path / "data"
    make_folder(data)
    shutil.copytree(HERE / version / "files", data / "files")
    shutil.copy(HERE / version / "secret-key.json", data)
    asyncio.run(_fill(version, data))
    with up(tmp_path, VETRINA_DEVELOPMENT="1", VETRINA_WEB_PROCESSES="1", VETRINA_WORKER_PROCESSES="1") as site:
        for command in (("verify",), ("conform", "style-studio", "cogento"), ("audit", "verify")):
            result = site.run(*command)
            assert result.returncode == 0, (command, result.stdout, result.stderr)
        with httpx2.Client(base_url=site.url, timeout=30) as client:
            profile = client.get("/api/v1/profiles/fay-now4").json()
            picture = client.get(profile["avatar"]["url"])
            assert picture.status_code == 200 and picture.headers["content-type"].startswith("image/")
            session = client.post("/api/v1/auth/session", json={"email": "bob2@example.com", "password": PASSWORD})
            assert session.status_code == 201, session.text
            client.headers["Authorization"] = f"Bearer {session.json()['access_token']}"
            assert client.get("/api/v1/membership").json()["plan"] == "basic"
            payments = client.get("/api/v1/payments").json()["items"]
            assert {payment["status"] for payment in payments} == {"completed"} and len(payments) == 2
            # The secret key came along: what it sealed opens, so the second step is asked for.
            challenge = client.post("/api/v1/auth/session", json={"email": "fay4@example.com", "password": PASSWORD})
            assert challenge.json()["type"] == "urn:vetrina:second-factor-needed"


async def _fill(version: str, data: Path) -> None:
    """Put the dump's database into the data folder's own PostgreSQL."""
    lock = Lock(data)
    lock.acquire()
    cluster = Cluster(data, lock=lock)
    try:
        await cluster.start()
        await asyncio.to_thread(ensure_roles, data)
        await asyncio.to_thread(restore, version, cluster.uri("superuser"))
        await cluster.stop()
    finally:
        lock.release()
