"""Proves that what a document names holds in a database.

Everything runs in transactions that are rolled back. A clone of the database would need its size again on disk and no other
connections; planted rows and their locks are gone at the end, and no statement changes the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from vetrina.reports.conformance import Document, Index, Refused, Returns, conforms

VALID = """
    select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where i.indisvalid and c.relname = any (%s)
"""
UNSERVED = re.compile(r"^[\s>-]*(Parallel )?(Seq Scan|Sort  )", re.M)
"""A plan's node that no index serves."""
LOCKS = "set local lock_timeout = '5s'; set local statement_timeout = '60s'"


class Verdict(StrEnum):
    """What became of a documented thing."""

    HOLDS = "holds"
    DIFFERS = "differs"
    MISSING = "missing"


class Outcome(msgspec.Struct, frozen=True):
    """A documented thing, its verdict, and the reason unless it holds."""

    thing: str
    verdict: Verdict
    reason: str = ""


Connection = psycopg.Connection[Any]


def prove(connection: Connection, document: Document) -> list[Outcome]:
    """Check every thing that a document names, as the owner of the database. Nothing is changed.

    Raises psycopg.OperationalError if the database does not answer.
    """
    if connection.execute("select to_regnamespace(%s)", (document.schema,)).fetchone() == (None,):
        return [Outcome(name, Verdict.MISSING, "there is no such schema") for name in _columns(document)]
    with connection.transaction(force_rollback=True):
        connection.execute(LOCKS.encode())
        connection.execute("select set_config('search_path', %s, true)", (f"{document.schema}, public",))
        problem = _run(connection, document.proof.setup)
        return [
            *_prove_columns(connection, document, problem),
            *(_refused(connection, item, problem) for item in document.proof.refused),
            *(_returns(connection, item, problem) for item in document.proof.returns),
            *(_index(connection, item) for item in document.proof.index),
            *(Outcome(item.thing, Verdict.DIFFERS, item.reason) for item in document.proof.differs),
        ]


def _columns(document: Document) -> Iterator[str]:
    for table, columns in document.tables.items():
        if not columns:
            yield f"{document.schema}.{table}"
        for column in columns:
            yield f"{document.schema}.{table}.{column}"


def _run(connection: Connection, statements: str) -> psycopg.Error | None:
    """Run statements inside a savepoint; return the error that stopped them."""
    try:
        with connection.transaction():
            for statement in _split(statements):
                connection.execute(statement.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return error
    return None


def _split(statements: str) -> list[str]:
    """Return the statements of a proof; a semicolon ends a statement only at the end of a line."""
    return [part for part in statements.strip().removesuffix(";").split(";\n") if part.strip()]


def _prove_columns(connection: Connection, document: Document, problem: psycopg.Error | None) -> Iterator[Outcome]:
    for table, columns in document.tables.items():
        for column, expected in columns.items():
            name = f"{document.schema}.{table}.{column}"
            reason = _column(connection, document.schema, table, column, expected)
            if not reason and problem is not None:
                reason = f"no row could be planted: {_text(problem)}"
            yield Outcome(name, Verdict.MISSING if reason else Verdict.HOLDS, reason)


def _column(connection: Connection, schema: str, table: str, column: str, expected: str) -> str:
    """Return what is wrong with a column; empty if it is there, of its type, readable and holds a value."""
    view = sql.Identifier(schema, table)
    try:
        with connection.transaction():
            row = connection.execute(
                "select format_type(a.atttypid, null) from pg_attribute a where a.attrelid = %s::regclass and a.attname = %s",
                (view.as_string(connection), column),
            ).fetchone()
            if row is None:
                return "there is no such column"
            if not conforms(expected, row[0]):
                return f"is {row[0]}, documented as {expected}"
            name = sql.Identifier(column)
            filled = sql.SQL("select 1 from {} where {} is not null and {}::text not in ('', '{{}}') limit 1")
            if connection.execute(filled.format(view, name, name)).fetchone() is None:
                return "holds no value"
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return _text(error)
    return ""


def _refused(connection: Connection, item: Refused, problem: psycopg.Error | None) -> Outcome:
    if problem is not None:
        return Outcome(item.thing, Verdict.MISSING, f"no row could be planted: {_text(problem)}")
    error: psycopg.Error | None = None
    with connection.transaction(force_rollback=True):
        error = _run(connection, item.sql)
    if error is None:
        return Outcome(item.thing, Verdict.MISSING, f"the row that breaks it was accepted; {item.by} is to refuse it")
    if error.diag.constraint_name != item.by:
        return Outcome(item.thing, Verdict.MISSING, f"refused by {error.diag.constraint_name or _text(error)}, not by {item.by}")
    return Outcome(item.thing, Verdict.HOLDS)


def _returns(connection: Connection, item: Returns, problem: psycopg.Error | None) -> Outcome:
    if problem is not None:
        return Outcome(item.thing, Verdict.MISSING, f"no row could be planted: {_text(problem)}")
    try:
        with connection.transaction(force_rollback=True):
            for statement in _split(item.before):
                connection.execute(statement.encode())
            row = connection.execute(item.sql.encode()).fetchone()
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return Outcome(item.thing, Verdict.MISSING, _text(error))
    if row is None or str(row[0]) != item.value:
        return Outcome(item.thing, Verdict.MISSING, f"returned {row[0] if row else 'no row'} instead of {item.value}")
    return Outcome(item.thing, Verdict.HOLDS)


def _index(connection: Connection, item: Index) -> Outcome:
    """Whether the indexes exist, and an index serves the query where the planner may neither scan nor sort whole tables.

    Which index that is depends on the contents of the tables: another one may be cheaper.
    """
    try:
        with connection.transaction(force_rollback=True):
            valid = {row[0] for row in connection.execute(VALID.encode(), (item.by,))}
            connection.execute("set local enable_seqscan = off")
            if "order by" in item.sql:  # on small tables the index of the order must win over a sort
                connection.execute("set local enable_sort = off")
                connection.execute("set local enable_bitmapscan = off")
            plan = "\n".join(row[0] for row in connection.execute(f"explain {item.sql}".encode()))
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return Outcome(item.thing, Verdict.MISSING, _text(error))
    if absent := [name for name in item.by if name not in valid]:
        return Outcome(item.thing, Verdict.MISSING, f"there is no valid index {', '.join(absent)}")
    if UNSERVED.search(plan):
        return Outcome(
            item.thing, Verdict.MISSING, f"the plan does not use {', '.join(item.by)}: it reads or sorts a whole table"
        )
    return Outcome(item.thing, Verdict.HOLDS)


def _text(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error)
