"""The three database roles, in the embedded cluster and, where permitted, in an external PostgreSQL.

`vetrina_owner` owns the database and migrates it, `vetrina_app` runs, `vetrina_reporting` reads. What each may
do is in `migrations/roles.sql`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from vetrina.core.embedded import cluster, credentials
from vetrina.core.embedded.credentials import Role
from vetrina.core.embedded.errors import CannotStart, Unsuitable

MIN_SERVER_VERSION = 150000
"""`server_version_num` of the oldest supported PostgreSQL."""


@dataclass(frozen=True)
class Access:
    """Connection URIs of the roles."""

    owner: str
    app: str
    reporting: str
    note: str = ""
    """A warning for the operator; empty if there is none."""

    def uri(self, role: Role) -> str:
        """Return the URI of `role`; in an external PostgreSQL the superuser's is the owner's."""
        return {"app": self.app, "reporting": self.reporting}.get(role, self.owner)


def ensure_roles(data: Path) -> Access:
    """Create missing roles and the database in the running cluster of this data folder.

    Raises CannotStart if the folder's credentials are not the cluster's.
    """
    stored = credentials.read_or_make(data)
    try:
        connection = psycopg.connect(cluster.uri(data, "superuser", "postgres"), autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise CannotStart(
            f"{data / credentials.FILE} does not open the database beside it; put the right file back.", str(error)
        ) from error
    with connection:
        for role in ("owner", "app", "reporting"):
            if not _exists(connection, role):
                _create(connection, role, stored.passwords[role])
            elif not _can_connect(cluster.uri(data, role, "postgres")):
                _set_password(connection, role, stored.passwords[role])
        if not connection.execute("select 1 from pg_database where datname = %s", (cluster.DATABASE,)).fetchone():
            name, owner = sql.Identifier(cluster.DATABASE), sql.Identifier("vetrina_owner")
            connection.execute(sql.SQL("create database {} owner {}").format(name, owner))
            connection.execute(sql.SQL("revoke all on database {} from public").format(name))
            readers = sql.SQL(", ").join([sql.Identifier("vetrina_app"), sql.Identifier("vetrina_reporting")])
            connection.execute(sql.SQL("grant connect, temporary on database {} to {}").format(name, readers))
    return embedded(data)


def embedded(data: Path) -> Access:
    """Return the roles' URIs for the embedded database. Raises NotInitialised."""
    return Access(*(cluster.uri(data, role) for role in ("owner", "app", "reporting")))


def ensure_external(dsn: str, data: Path) -> Access:
    """Create the roles in the database at `dsn`, whose user owns and migrates it. Raises Unsuitable.

    Where that user may not create roles, or they belong to another Vetrina (roles are the server's, not the
    database's), everything runs as that user, and `note` says so.
    """
    return _external(dsn, data, create=True)


def external(dsn: str, data: Path) -> Access:
    """Return the roles' URIs for the database at `dsn`, changing nothing. Raises Unsuitable."""
    return _external(dsn, data, create=False)


def _external(dsn: str, data: Path, *, create: bool) -> Access:
    stored = credentials.read_or_make(data) if create else credentials.read(data)
    base_uri = as_uri(dsn)
    role_uris: dict[str, str] = {}
    note = ""
    with _connect(base_uri) as connection:
        current_user, database = connection.execute("select current_user::text, current_database()::text").fetchone() or ("", "")
        _check_not_anothers(connection, database)
        for role in ("app", "reporting"):
            role_uri = as_uri(dsn, user=f"vetrina_{role}", password=stored.passwords[role]) if stored else ""
            if role_uri and not _exists(connection, role) and create and stored:
                note = note or _try_create(connection, role, stored.passwords[role], database)
            if role_uri and _exists(connection, role) and _can_connect(role_uri):
                role_uris[role] = role_uri
    if not role_uris:
        note = note or "the roles vetrina_app and vetrina_reporting are not there, or have other passwords than ours"
        return Access(base_uri, base_uri, base_uri, f"Everything runs as the database user {current_user}: {note}.")
    return Access(base_uri, role_uris.get("app", base_uri), role_uris.get("reporting", base_uri), note)


def _check_not_anothers(connection: Connection[Any], database: str) -> None:
    """Refuse a server whose roles were created for another database: sharing them would open one site's data to the other."""
    rows = connection.execute(
        "select distinct d.datname::text from pg_database d, aclexplode(d.datacl) a join pg_roles r on r.oid = a.grantee "
        "where r.rolname in ('vetrina_app', 'vetrina_reporting') and a.privilege_type = 'CONNECT' order by 1"
    ).fetchall()
    others = [str(name) for (name,) in rows]
    if others and database not in others:
        raise Unsuitable(
            f"This PostgreSQL server already serves another Vetrina, in the database {', '.join(others)}: the roles "
            f"vetrina_app and vetrina_reporting, which are the server's, are that one's. "
            f"Use a server of its own for the database {database}. "
            f"If it is the same site's, after a restore for example, let them in first: "
            f'grant connect on database "{database}" to vetrina_app, vetrina_reporting;'
        )


def _connect(uri: str) -> Connection[Any]:
    try:
        connection = psycopg.connect(uri, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise Unsuitable(f"The database in VETRINA_DATABASE_URL cannot be used: {str(error).strip()}") from error
    if connection.info.server_version < MIN_SERVER_VERSION:
        version = connection.info.parameter_status("server_version")
        connection.close()
        raise Unsuitable(f"VETRINA_DATABASE_URL leads to PostgreSQL {version}. Vetrina needs version 15 or newer.")
    return connection


def _try_create(connection: Connection[Any], role: str, password: str, database: str) -> str:
    """Create the role; return why it could not be created, or an empty text."""
    try:
        with connection.transaction():
            _create(connection, role, password)
            connection.execute(
                sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database), sql.Identifier(f"vetrina_{role}"))
            )
    except psycopg.errors.InsufficientPrivilege:
        return "it may not create roles (it would need CREATEROLE)"
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return ""  # another `up` was quicker; connecting shows whether it is ours
    return ""


def _exists(connection: Connection[Any], role: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", (f"vetrina_{role}",)).fetchone() is not None


def _create(connection: Connection[Any], role: str, password: str) -> None:
    name = sql.Identifier(f"vetrina_{role}")
    connection.execute(sql.SQL("create role {} login password {}").format(name, sql.Literal(password)))
    if role == "reporting":
        connection.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(name))
        connection.execute(sql.SQL("alter role {} set statement_timeout = '60s'").format(name))
        # A session may set that aside for itself: the application may end its statements.
        connection.execute(sql.SQL("grant {} to {}").format(name, sql.Identifier("vetrina_app")))


def _set_password(connection: Connection[Any], role: str, password: str) -> None:
    name = sql.Identifier(f"vetrina_{role}")
    connection.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(password)))


def _can_connect(uri: str) -> bool:
    try:
        psycopg.connect(uri, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


def as_uri(dsn: str, **changes: str) -> str:
    """Return `dsn`, a URI or libpq's `key=value` form, as a URI with `changes` applied. Raises Unsuitable."""
    try:
        parts = {**conninfo_to_dict(dsn), **changes}
    except psycopg.ProgrammingError as error:
        raise Unsuitable(f"VETRINA_DATABASE_URL is not a PostgreSQL address: {error}") from error
    user, password = parts.pop("user", None), parts.pop("password", None)
    host, port, name = parts.pop("host", None), parts.pop("port", None), parts.pop("dbname", None)
    userinfo = quote(str(user), safe="") if user else ""
    userinfo += f":{quote(str(password), safe='')}" if password else ""
    hosts = str(host or "").split(",")
    ports = str(port or "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    addresses = ",".join(
        (f"[{address}]" if ":" in address else quote(address, safe="")) + (f":{number}" if number else "")
        for address, number in zip(hosts, ports, strict=True)
    )
    rest = {key: str(value) for key, value in parts.items() if value is not None}
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    return f"postgresql://{userinfo + '@' if userinfo else ''}{addresses}/{quote(str(name), safe='') if name else ''}{query}"
