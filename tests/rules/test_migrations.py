"""Migrations go forward only, one at a time, completely or not at all."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from scripts.landed import append
from tests.rules.code import ROOT
from tests.rules.conftest import at
from vetrina.core.database import migrations as migrating
from vetrina.core.database.migrations import MigrationRefused, migrate

FIRST = "create schema house; create table house.rooms (name text primary key);"


@pytest.fixture
def empty(server: str, template: str) -> Iterator[str]:
    """Yield the URI of an empty database as its owner. `template` is requested because it creates the roles."""
    name = f"empty_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} owner vetrina_owner".encode())
        yield at(server, name, "vetrina_owner")
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with one migration."""
    (tmp_path / "roles.sql").write_text("grant usage on schema core to vetrina_app;")
    (tmp_path / "0001_house.sql").write_text(FIRST)
    return tmp_path


def ask(uri: str, sql: str) -> Any:
    """Return the first value of a query."""
    with psycopg.connect(uri, autocommit=True) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row[0] if row else None


def ours(uri: str) -> list[str]:
    """Return the names of our migrations that the database records."""
    with psycopg.connect(uri, autocommit=True) as connection:
        rows = connection.execute("select name from core.migrations where name !~ '^procrastinate/' order by 1").fetchall()
    return [row[0] for row in rows]


def test_applied_migration_is_not_repeated(empty: str, files: Path) -> None:
    assert migrate(empty, at=files) == ["procrastinate", "0001_house"]
    assert migrate(empty, at=files) == []
    (files / "0002_more.sql").write_text("insert into house.rooms values ('kitchen')")
    assert migrate(empty, at=files) == ["0002_more"]
    assert ours(empty) == ["0001_house", "0002_more"]
    assert ask(empty, "select count(*) from house.rooms") == 1


def test_waits_are_limited(empty: str, files: Path) -> None:
    (files / "0002_limits.sql").write_text(
        "create table house.limits as select current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') as t"
    )
    migrate(empty, at=files)
    assert ask(empty, "select t from house.limits") == "5s 15min"


def test_migration_waiting_for_a_lock_times_out(empty: str, files: Path) -> None:
    migrate(empty, at=files)
    (files / "0002_hasty.sql").write_text("set local lock_timeout = '50ms'; drop table house.rooms")
    with psycopg.connect(empty) as reader:
        reader.execute("select * from house.rooms")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            migrate(empty, at=files)
    assert ours(empty) == ["0001_house"]


def test_an_edited_file_is_refused(empty: str, files: Path) -> None:
    migrate(empty, at=files)
    (files / "0001_house.sql").write_text(FIRST + " -- a word more")
    (files / "0002_more.sql").write_text("create table house.more ()")
    with pytest.raises(MigrationRefused, match=r"another text of migration 0001_house.*Nothing was changed.*restore a backup"):
        migrate(empty, at=files)
    assert ours(empty) == ["0001_house"]


def test_a_missing_file_is_refused(empty: str, files: Path) -> None:
    migrate(empty, at=files)
    (files / "0001_house.sql").rename(files / "0002_house.sql")
    with pytest.raises(MigrationRefused, match=r"does not know .0001_house.*Install that version again"):
        migrate(empty, at=files)


def test_a_file_before_an_applied_one_is_refused(empty: str, files: Path) -> None:
    migrate(empty, at=files)
    (files / "0000_earlier.sql").write_text("create table core.earlier ()")
    with pytest.raises(MigrationRefused, match="0000_earlier comes before 0001_house"):
        migrate(empty, at=files)
    assert ask(empty, "select to_regclass('core.earlier')") is None


def test_failing_migration_is_rolled_back(empty: str, files: Path) -> None:
    (files / "0002_broken.sql").write_text("create table house.half (); insert into house.rooms values (null)")
    (files / "0003_after.sql").write_text("create table house.after ()")
    with pytest.raises(psycopg.errors.NotNullViolation):
        migrate(empty, at=files)
    assert ours(empty) == ["0001_house"]
    assert ask(empty, "select coalesce(to_regclass('house.half'), to_regclass('house.after'))") is None
    (files / "0002_broken.sql").write_text("insert into house.rooms values ('hall')")
    assert migrate(empty, at=files) == ["0002_broken", "0003_after"]


def released(files: Path) -> None:
    """List the files of this folder as released."""
    lines = [f"{migration.sha256}  {migration.name}.sql\n" for migration in migrating.available(files)]
    (files / migrating.LANDED).write_text("".join(lines))


def test_an_installation_with_a_changed_released_file_is_refused_before_anything_is_applied(empty: str, files: Path) -> None:
    released(files)
    (files / "0001_house.sql").write_text(FIRST + " -- a word more")
    with pytest.raises(MigrationRefused, match=r"damaged: its migrations 0001_house .*Install the same version of Vetrina again"):
        migrate(empty, at=files)
    assert ours(empty) == []


def test_an_installation_without_a_released_file_is_refused(empty: str, files: Path) -> None:
    (files / "0002_more.sql").write_text("create table house.more ()")
    released(files)
    (files / "0002_more.sql").unlink()
    with pytest.raises(MigrationRefused, match="0002_more are missing or were changed"):
        migrate(empty, at=files)
    assert ours(empty) == []


def test_released_migrations_are_complete_and_unchanged() -> None:
    present = {migration.name: migration.sha256 for migration in migrating.available()}
    assert {name: present.get(name) for name in migrating.landed()} == migrating.landed(), "add a new migration instead"
    assert list(migrating.landed()) == sorted(present), "list new migrations with `make landed` in the commit that lands them"


def test_a_changed_released_migration_is_refused_by_the_release_script(files: Path) -> None:
    released(files)
    (files / "0002_more.sql").write_text("create table house.more ()")
    more = migrating.available(files)
    assert append(more, migrating.landed(files)) == [f"{more[1].sha256}  0002_more.sql\n"]
    (files / "0001_house.sql").write_text(FIRST + " -- a word more")
    with pytest.raises(SystemExit, match="0001_house"):
        append(migrating.available(files), migrating.landed(files))


async def test_concurrent_migrations_wait(empty: str, files: Path) -> None:
    (files / "0002_slow.sql").write_text("select pg_sleep(0.3); insert into house.rooms values ('attic')")
    both = await asyncio.gather(*(asyncio.to_thread(migrate, empty, at=files) for _ in range(2)))
    assert sorted(both) == [[], ["procrastinate", "0001_house", "0002_slow"]]
    assert ask(empty, "select count(*) from house.rooms") == 1


def test_a_newer_job_library_brings_its_own_files(empty: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(empty, at=files)
    newer = [*migrating._jobs(), migrating.Migration("procrastinate/99.sql", "create table public.newer ()")]  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(migrating, "_jobs", lambda: newer)
    assert migrate(empty, at=files) == ["procrastinate/99.sql"]
    assert ask(empty, "select to_regclass('public.newer')::text") == "newer"


def test_squawk_passes() -> None:
    squawk = Path(sysconfig.get_path("scripts")) / "squawk"
    paths = sorted((ROOT / "migrations").glob("[0-9]*.sql"))
    result = subprocess.run([squawk, "--reporter", "json", *paths], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, [f"{item['file']}:{item['line'] + 1} {item['message']}" for item in json.loads(result.stdout)]


def test_squawk_detects_a_violation(tmp_path: Path) -> None:
    squawk = Path(sysconfig.get_path("scripts")) / "squawk"
    (tmp_path / "0009_harsh.sql").write_text("alter table wallet.entries add column checked boolean not null;")
    result = subprocess.run([squawk, tmp_path / "0009_harsh.sql"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode != 0
