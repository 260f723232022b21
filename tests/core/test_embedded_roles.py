"""The three roles, in the embedded cluster and in an external PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from vetrina.core.database.migrations import migrate
from vetrina.core.embedded import CannotStart, Cluster, Unsuitable, credentials, ensure_external, ensure_roles, external, roles
from vetrina.core.embedded.roles import as_uri


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Path]]:
    """A cluster with its roles and a migrated database."""
    data = tmp_path_factory.mktemp("own") / "data"
    cluster = Cluster(data, settings={"fsync": "off"})
    asyncio.run(cluster.start())
    migrate(ensure_roles(data).owner)
    yield cluster, data
    asyncio.run(cluster.stop())


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The superuser's URI of a server without Vetrina's roles."""
    cluster = Cluster(tmp_path_factory.mktemp("elsewhere") / "data", settings={"fsync": "off"})
    asyncio.run(cluster.start())
    yield cluster.uri("superuser", "postgres")
    asyncio.run(cluster.stop())


@pytest.fixture
def guest(elsewhere: str) -> Iterator[str]:
    """The URI of a plain user of that server, with an empty database and no other rights."""
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("create role guest login password 'guest' createrole")
        connection.execute("create database guest owner guest")
        yield as_uri(elsewhere, user="guest", password="guest", dbname="guest")
        connection.execute("drop database guest with (force)")
        connection.execute("drop role if exists vetrina_app; drop role if exists vetrina_reporting; drop role guest")


def user_of(uri: str) -> str:
    """Return the current user."""
    with psycopg.connect(uri) as connection:
        return connection.info.user


def test_app_role_changes_rows_only(own: tuple[Cluster, Path]) -> None:
    cluster, _ = own
    with psycopg.connect(cluster.uri("app"), autocommit=True) as connection:
        connection.execute("select count(*) from accounts.accounts")
        for refused in (
            "create table core.x ()",
            "create table public.x ()",
            "alter table wallet.entries add column x int",
            "update wallet.entries set quantity = 0",
            "delete from wallet.entries",
            "create role x",
            "insert into core.migrations values ('x', 'x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select pg_read_file('/etc/hostname')")


def test_reporting_role_reads_no_module_table(own: tuple[Cluster, Path]) -> None:
    cluster, _ = own
    with psycopg.connect(cluster.uri("reporting"), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from accounts.accounts")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("create temporary table x ()")


def test_changed_password_is_restored(own: tuple[Cluster, Path]) -> None:
    cluster, data = own
    with psycopg.connect(cluster.uri("superuser", "postgres"), autocommit=True) as connection:
        connection.execute("alter role vetrina_app password 'another'")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.uri("app"))
    psycopg.connect(ensure_roles(data).app).close()


def test_lost_credentials_file_is_named(own: tuple[Cluster, Path]) -> None:
    _, data = own
    stored = credentials.read(data)
    assert stored
    try:
        credentials.write(data, credentials.Credentials({role: secrets.token_hex(8) for role in credentials.ROLES}, stored.port))
        with pytest.raises(CannotStart, match=r"postgres\.json does not open the database"):
            ensure_roles(data)
    finally:
        credentials.write(data, stored)


def test_external_roles_are_created_with_createrole(guest: str, tmp_path: Path) -> None:
    access = ensure_external(guest, tmp_path)
    assert access.note == "" and access.owner == guest
    assert [user_of(item) for item in (access.app, access.reporting)] == ["vetrina_app", "vetrina_reporting"]
    migrate(access.owner)
    with psycopg.connect(access.app, autocommit=True) as connection:
        connection.execute("select count(*) from wallet.entries")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from wallet.entries")
        connection.execute("select count(*) from procrastinate_jobs")
    assert external(guest, tmp_path) == access == ensure_external(guest, tmp_path)


def test_external_without_createrole_uses_the_given_user(guest: str, elsewhere: str, tmp_path: Path) -> None:
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("alter role guest nocreaterole")
    access = ensure_external(guest, tmp_path)
    assert (access.owner, access.app, access.reporting) == (guest, guest, guest)
    assert "runs as the database user guest: it may not create roles" in access.note
    migrate(access.owner)


def test_external_roles_of_another_site_are_untouched(guest: str, elsewhere: str, tmp_path: Path) -> None:
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("create role vetrina_app login password 'theirs'; create role vetrina_reporting login")
        access = ensure_external(guest, tmp_path)
        assert access.app == guest and "other passwords than ours" in access.note
        psycopg.connect(as_uri(elsewhere, user="vetrina_app", password="theirs")).close()


def test_external_database_must_exist_and_be_recent(elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unsuitable, match=r"VETRINA_DATABASE_URL cannot be used.*does not exist"):
        ensure_external(as_uri(elsewhere, dbname="nothing"), tmp_path)
    with pytest.raises(Unsuitable, match="not a PostgreSQL address"):
        ensure_external("mysql://x", tmp_path)
    monkeypatch.setattr(roles, "MIN_SERVER_VERSION", 990000)
    with pytest.raises(Unsuitable, match=r"leads to PostgreSQL 18\.\d+.*Vetrina needs version"):
        ensure_external(elsewhere, tmp_path)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgresql://u:p%40@h:1/db?sslmode=require", "postgresql://me:a%2Fb@h:1/db?sslmode=require"),
        ("host=/run/postgresql dbname=x user=u", "postgresql://me:a%2Fb@%2Frun%2Fpostgresql/x"),
        ("postgresql://[::1]:4/x", "postgresql://me:a%2Fb@[::1]:4/x"),
        ("host=a,b port=1,2 dbname=x", "postgresql://me:a%2Fb@a:1,b:2/x"),
    ],
)
def test_as_uri_changes_the_user_of_any_dsn(given: str, wanted: str) -> None:
    assert as_uri(given, user="me", password="a/b") == wanted
    assert conninfo_to_dict(as_uri(given)) == conninfo_to_dict(given)


def test_second_vetrina_in_one_server_is_refused(guest: str, elsewhere: str, tmp_path: Path) -> None:
    """9.F36: roles are the server's; the first one's are not picked up, whatever their password, unless they are let in."""
    first = ensure_external(guest, tmp_path / "first")
    assert user_of(first.app) == "vetrina_app"
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("create database second owner guest")
        other = as_uri(guest, dbname="second")
        try:
            for data in (tmp_path / "second", tmp_path / "first"):
                with pytest.raises(Unsuitable, match="already serves another Vetrina, in the database guest"):
                    ensure_external(other, data)
            connection.execute("grant connect on database second to vetrina_app, vetrina_reporting")
            assert user_of(ensure_external(other, tmp_path / "first").app) == "vetrina_app"
            assert ensure_external(guest, tmp_path / "first") == first
        finally:
            connection.execute("drop database second with (force)")
