"""Every function of the database compiles and names nothing that does not exist.

PostgreSQL keeps bodies as text and looks at them when they run, so a renamed function or column is noticed late. plpgsql_check is
not part of the embedded PostgreSQL: every function is called with nulls instead (what the body refuses is fine, what it
cannot parse is not), and the names in all branches are compared with the catalogue.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from psycopg import errors

OURS = "n.nspname not in ('public', 'information_schema') and n.nspname !~ '^pg_'"
BROKEN = (
    errors.SyntaxError, errors.UndefinedFunction, errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedObject,
    errors.UndefinedParameter, errors.AmbiguousColumn, errors.AmbiguousFunction, errors.DatatypeMismatch, errors.InvalidName,
)  # fmt: skip
"""What a call raises when the body does not fit the schema. Anything else is the function's own refusal."""


def functions(connection: psycopg.Connection[Any]) -> list[tuple[str, str, list[str], bool]]:
    """Every function of ours: name, body without comments, types of its arguments, whether it is a trigger's."""
    rows = connection.execute(
        f"""
        select n.nspname || '.' || p.proname, p.prosrc, array(select format_type(t, null) from unnest(p.proargtypes) t),
               p.prorettype = 'trigger'::regtype
          from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OURS} order by 1""".encode()
    ).fetchall()
    return [(name, re.sub(r"--[^\n]*", "", body), types, trigger) for name, body, types, trigger in rows]


def _names(connection: psycopg.Connection[Any], query: str) -> set[str]:
    return {row[0] for row in connection.execute(query.encode())}


def unknown_names(connection: psycopg.Connection[Any]) -> list[str]:
    """Return unknown functions, relations, types and columns that function bodies name."""
    schemas = "|".join(sorted(_names(connection, f"select n.nspname from pg_namespace n where {OURS}")))
    join = "join pg_namespace n on n.oid ="
    callable_ = _names(connection, f"select n.nspname || '.' || proname from pg_proc {join} pronamespace where {OURS}")
    relations = _names(connection, f"select n.nspname || '.' || relname from pg_class {join} relnamespace where {OURS}")
    types = _names(connection, f"select n.nspname || '.' || typname from pg_type {join} typnamespace where {OURS}")
    columns = _names(
        connection,
        f"""select n.nspname || '.' || c.relname || '.' || a.attname from pg_attribute a
        join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where {OURS}""",
    )
    wrong: list[str] = []
    for function, body, _, _ in functions(connection):
        text = re.sub(r"'(?:[^']|'')*'", "''", body)
        for name, call in re.findall(rf"\b((?:{schemas})\.[a-z_]+)(\s*\()?", text):
            # A table's name may stand before a list of columns, and a type's in a cast.
            if name not in callable_ | relations | types or (call == "(" and name not in callable_):
                wrong.append(f"{function}: {name}")
        for table, listed in re.findall(rf"insert into ((?:{schemas})\.[a-z_]+)(?: as \w+)?\s*\(([a-z_,\s]+)\)", text):
            named = [f"{table}.{name}" for name in re.split(r"[,\s]+", listed.strip())]
            wrong += [f"{function}: {name}" for name in named if name not in columns]
        for table, assigned in re.findall(rf"update ((?:{schemas})\.[a-z_]+)(?: as)?(?: \w+)?\s+set ([a-z_]+) =", text):
            wrong += [f"{function}: {table}.{assigned}"] if f"{table}.{assigned}" not in columns else []
    return wrong


def failing_calls(connection: psycopg.Connection[Any]) -> list[str]:
    """Return functions that fail to run when called with nulls in a rolled-back transaction."""
    wrong: list[str] = []
    for name, _, types, trigger in functions(connection):
        if trigger:
            continue
        arguments = ", ".join(f"null::{kind}" for kind in types)
        try:
            with connection.transaction(force_rollback=True):
                connection.execute("set local statement_timeout = '10s'")
                connection.execute(f"select {name}({arguments})".encode())
        except BROKEN as error:
            wrong.append(f"{name}: {str(error).splitlines()[0]}")
        except psycopg.Error:
            pass
    return wrong


def test_functions_refer_to_existing_objects(as_owner: psycopg.Connection[Any]) -> None:
    assert len(functions(as_owner)) > 90
    assert unknown_names(as_owner) == []


def test_functions_can_be_called(as_owner: psycopg.Connection[Any]) -> None:
    assert failing_calls(as_owner) == []


@pytest.mark.parametrize(
    "planted",
    [
        "begin perform wallet.give(null); end",
        "begin if false then insert into wallet.periods (begun_at) values (null); end if; end",
        "begin if false then update wallet.periods set worth = 0; end if; end",
        "begin if false then perform 1 from wallet.purses; end if; end",
    ],
)
def test_removed_name_is_detected(as_owner: psycopg.Connection[Any], planted: str) -> None:
    with as_owner.transaction(force_rollback=True):
        as_owner.execute(f"create function wallet.planted() returns void language plpgsql as $$ {planted} $$".encode())
        assert [wrong for wrong in unknown_names(as_owner) if wrong.startswith("wallet.planted")]


def test_unparsable_function_body_is_detected(as_owner: psycopg.Connection[Any]) -> None:
    with as_owner.transaction(force_rollback=True):
        as_owner.execute("create function wallet.planted(p bigint) returns bigint language plpgsql as $$"
                         " begin return (select worth from wallet.periods limit 1); end $$")  # fmt: skip
        assert [wrong.split(":")[0] for wrong in failing_calls(as_owner)] == ["wallet.planted"]
