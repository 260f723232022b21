"""PostgreSQL accepts every statement, and its rows match their types."""

from __future__ import annotations

import ast
import ipaddress
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from tests.rules.code import bare, statements, trees

JSON: tuple[Any, ...] = (Any, dict, list)
TYPES: dict[str, tuple[Any, ...]] = {
    "bool": (bool,), "int2": (int,), "int4": (int,), "int8": (int,), "float4": (float,), "float8": (float,),
    "numeric": (Decimal,), "text": (str,), "varchar": (str,), "name": (str,), "bpchar": (str,), "uuid": (UUID,),
    "timestamptz": (datetime,), "date": (date,), "interval": (timedelta,), "bytea": (bytes,), "json": JSON, "jsonb": JSON,
    "inet": (ipaddress.IPv4Address, ipaddress.IPv6Address), "void": (type(None),),
}  # fmt: skip
"""psycopg's Python types for each column type."""

UNDECLARED = {
    "demo/cogento.py": "reads the documents' views as other tools do",
    "commands/conform.py": "selects columns whose names come from the documents, one by one",
    "reports/conformance/proof.py": "runs the documents' queries and plants their rows, in transactions that are rolled back",
    "core/database/connection.py": "runs the declared ones, and LISTEN, which takes no parameters",
    "core/database/timeouts.py": "sets up a connection before it runs any statement",
    "commands/db.py": "looks whether a database is empty before a dump is restored into it",
    "core/embedded/roles.py": "makes roles and the database itself, which takes no prepared statements",
    "core/database/migrations.py": "runs before there is a schema to prepare anything against",
}
"""Files that may call `execute` themselves."""

ELSEWHERE = {
    "core": "core has no tables of the domain; each file keeps its own few",
    "worker.py": "reads procrastinate's table, which is no module's",
}
"""Where statements may be declared besides a module's queries.py."""

NEVER_NULL: dict[str, str] = {
    "accounts.domains.queries.DOMAINS_DUE.leased_until": "has just been set",
    "accounts.domains.queries.LEASE_DOMAIN.leased_until": "has just been set",
    "media.trash.queries.TRASH.deleted_at": "has just been set",
    "media.trash.queries.LIST.deleted_at": "is in its condition",
    "media.trash.queries.ONE.deleted_at": "is in its condition",
}
"""Columns that may be null in the table and not in this statement's rows: statement.column to reason."""


@dataclass(frozen=True)
class Column:
    """A column of a statement's result; `table` is 0 for one that is computed."""

    name: str
    type: str
    nullable: bool


def converted(sql: str) -> str:
    """Return the statement with PostgreSQL's placeholders, as psycopg sends it."""
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return "%"
        if match.group(1) not in names:
            names.append(match.group(1))
        return f"${names.index(match.group(1)) + 1}"

    return re.sub(r"%(?:\((\w+)\)s|%)", place, sql)


def described(connection: psycopg.Connection[Any], sql: str) -> list[Column]:
    """PREPARE the statement and describe its result. Raises psycopg's error for invalid SQL."""
    raw = connection.pgconn
    for result in (raw.prepare(b"rule", converted(sql).encode()), raw.describe_prepared(b"rule")):
        if result.status not in (psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK):
            raise AssertionError(result.error_message.decode())
    connection.execute("deallocate rule")
    outer = set(re.findall(r"\b(?:left|full)\s+(?:outer\s+)?join\s+(\w+\.\w+)", bare(sql)))
    return [
        _column(connection, result.fname(i), result.ftype(i), result.ftable(i), result.ftablecol(i), outer)
        for i in range(result.nfields)
    ]


def _column(
    connection: psycopg.Connection[Any], name: bytes | None, oid: int, table: int, number: int, outer: set[str]
) -> Column:
    # A column that a view takes from its table under the same name is as the table's.
    row = connection.execute(
        """select t.typname, coalesce(b.attnotnull, a.attnotnull), n.nspname || '.' || c.relname
             from pg_type t left join pg_attribute a on a.attrelid = %(table)s and a.attnum = %(number)s
             left join pg_class c on c.oid = a.attrelid left join pg_namespace n on n.oid = c.relnamespace
             left join lateral (
               select bool_and(o.attnotnull) as attnotnull
                 from pg_rewrite r
                 join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refobjsubid > 0
                 join pg_attribute o on o.attrelid = d.refobjid and o.attnum = d.refobjsubid and o.attname = a.attname
                where c.relkind = 'v' and r.ev_class = c.oid) b on true
            where t.oid = %(oid)s""",
        {"table": table, "number": number, "oid": oid},
    ).fetchone()
    assert row is not None
    # Of a computed column nothing is known; a column from the far side of an outer join may be missing.
    return Column((name or b"").decode(), row[0], row[1] is False or row[2] in outer)


def mismatches(columns: list[Column], row: Any, scalar: bool, spared: set[str] = frozenset()) -> Iterator[str]:  # type: ignore[assignment]
    """Yield the differences between the columns and the row type."""
    if row in (None, type(None)):
        if [column for column in columns if column.type != "void"]:
            yield f"returns {[column.name for column in columns]}, but its row type is None"
        return
    if scalar:
        if len(columns) != 1:
            yield f"has {len(columns)} columns for one {row.__name__}"
        else:
            # A single value that is null comes as None from `fetch_optional`, and `fetch_one` takes it for not found.
            yield from _typed(columns[0], row, nullable=False)
        return
    fields = {field.name: field for field in msgspec.structs.fields(row)}
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        yield f"names a column twice: {names}"
    for column in columns:
        if column.name not in fields:
            yield f"column {column.name} is no field of {row.__name__}"
        else:
            yield from _typed(column, fields[column.name].type, nullable=column.nullable and column.name not in spared)
    for field in fields.values():
        if field.required and field.name not in names:
            yield f"field {field.name} of {row.__name__} has no column"


def _typed(column: Column, hint: Any, *, nullable: bool) -> Iterator[str]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    options = [_plain(argument) for argument in (typing.get_args(hint) if union else (hint,))]
    expected = [option for option in options if option is not type(None)]
    if nullable and hint is not Any and type(None) not in options:
        yield f"{column.name} may be null, but its type is {hint}"
    if column.type.startswith("_"):
        elements = [_plain(typing.get_args(item)[0]) for item in expected if typing.get_origin(item) is list]
        fits = bool(elements) and all(element in TYPES.get(column.type[1:], ()) for element in elements)
    else:
        fits = all((typing.get_origin(item) or item) in TYPES.get(column.type, ()) for item in expected)
    if not fits:
        yield f"{column.name} is {column.type}, but its type is {hint}"


def _plain(hint: Any) -> Any:
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    # The values of a Literal are held to the database's own list by test_constraint_values.
    return type(typing.get_args(hint)[0]) if typing.get_origin(hint) is typing.Literal else hint


@pytest.mark.parametrize("name", sorted(statements()))
def test_prepares_and_fits_its_rows(name: str, as_app: psycopg.Connection[Any]) -> None:
    statement = statements()[name]
    spared = {item.rpartition(".")[2] for item in NEVER_NULL if item.rpartition(".")[0] == name}
    assert list(mismatches(described(as_app, statement.sql), statement.row, statement.scalar, spared)) == []


def test_planted_faults_are_detected(as_app: psycopg.Connection[Any]) -> None:
    class Handled(msgspec.Struct):
        id: UUID
        handle: str

    class Counted(msgspec.Struct):
        id: str
        count: int

    def wrong(sql: str, row: Any, scalar: bool = False) -> list[str]:
        return list(mismatches(described(as_app, sql), row, scalar))

    assert wrong("select id, handle from accounts.accounts", Handled) == ["handle may be null, but its type is <class 'str'>"]
    assert wrong("select id from accounts.accounts", Counted) == [
        "id is uuid, but its type is <class 'str'>",
        "field count of Counted has no column",
    ]
    assert wrong("select a.id, f.mime as handle from accounts.accounts a left join media.files f on f.account_id = a.id", Handled)
    assert wrong("select id, kind from accounts.accounts where email = %(email)s", str, scalar=True)
    assert wrong("delete from core.settings where key = %(key)s returning key", None)
    with pytest.raises(AssertionError, match="does not exist"):
        described(as_app, "select nothing from accounts.accounts where id = %(id)s and '100%%' = %(id)s::text")


def test_each_has_a_name_in_its_modules_queries() -> None:
    strays = [
        name
        for name in statements()
        if name.startswith("unbound") or not (name.split(".")[-2] in {"queries", "verify_queries"} or _elsewhere(name))
    ]
    assert strays == []


def _elsewhere(name: str) -> bool:
    home = name.rpartition(".")[0]
    if home.endswith(".personal_data"):
        return True  # a statement a table, beside what it says of the table
    return home.split(".")[0] in ELSEWHERE or f"{home.replace('.', '/')}.py" in ELSEWHERE


def test_nothing_else_is_executed() -> None:
    result = {
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if path not in UNDECLARED
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"execute", "executemany", "copy", "stream"}
        and _sql(node)
    }
    assert result == set()


def _sql(call: ast.Call) -> bool:
    """Return whether the call's first argument can be SQL: anything but an address, a plain word, or a declared statement.

    `tx.execute(queries.DELETE)` takes a `Statement`, which pyright checks: a constant, or an attribute that holds one.
    """
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant):
        return isinstance(first.value, str) and " " in first.value.strip()
    if not (isinstance(call.func, ast.Attribute) and call.func.attr.startswith("execute")):
        return False
    on_tx = isinstance(call.func.value, ast.Name) and call.func.value.id == "tx"
    declared = isinstance(first, ast.Attribute) or (isinstance(first, ast.Name) and first.id.isupper())
    return not (on_tx and declared)


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("connection.execute('delete from wallet.grants')", True),
        ("connection.execute(DELETE)", True),
        ("tx.execute(f'delete from {table}')", True),
        ("tx.execute(sql)", True),
        ("tx.execute(queries.DELETE, account=account)", False),
        ("tx.execute(DELETE)", False),
    ],
)
def test_undeclared_sql_is_detected(source: str, caught: bool) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _sql(call) == caught


def test_each_is_used() -> None:
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    }
    assert [name for name in statements() if name.rpartition(".")[2] not in used] == []


def _opened(tree: ast.AST) -> list[int]:
    """Return the lines where a function that receives a Tx opens another transaction or connection."""
    functions = [item for item in ast.walk(tree) if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    receiving = [
        function
        for function in functions
        if any(arg.annotation and ast.unparse(arg.annotation) == "Tx" for arg in (*function.args.args, *function.args.kwonlyargs))
    ]
    return [
        node.lineno
        for item in receiving
        for node in ast.walk(item)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"tx", "read", "again"}
        and ast.unparse(node.func.value).rpartition(".")[2] in {"db", "request"}
    ]  # fmt: skip


def test_functions_with_a_transaction_open_none() -> None:
    assert {path: lines for path, tree in trees().items() if (lines := _opened(tree))} == {}
    assert _opened(ast.parse("async def f(tx: Tx):\n  async with services.db.tx() as other: pass")) == [2]
