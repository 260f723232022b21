"""`vetrina conform` fails when any single documented thing is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from vetrina.reports.conformance import Document, documents
from vetrina.reports.conformance.proof import Verdict, prove


def _names() -> list[tuple[str, str]]:
    """Return the system and every database object that its proofs name."""
    return [
        (document.system, name)
        for document in documents()
        for name in sorted({item.by for item in document.proof.refused}
                           | {name for item in document.proof.returns for name in item.by}
                           | {name for item in document.proof.index for name in item.by})
    ]  # fmt: skip


@pytest.fixture
def connection(owner: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect as the owner."""
    with psycopg.connect(owner, autocommit=True) as result:
        yield result


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    """Drop the constraint, index, trigger or function of this name."""
    schema, _, function = name.rpartition(".")
    if schema:
        connection.execute(f"drop function {schema}.{function} cascade".encode())
        return
    rows = connection.execute(
        """select format('alter table %%s drop constraint %%I cascade', conrelid::regclass, conname)
             from pg_constraint where conname = %(name)s and conrelid <> 0
           union all
           select format('drop trigger %%I on %%s', tgname, tgrelid::regclass) from pg_trigger where tgname = %(name)s
           union all
           select format('drop index %%s', oid::regclass) from pg_class
            where relname = %(name)s and relkind = 'i' and not exists (select from pg_constraint where conname = %(name)s)""",
        {"name": name},
    ).fetchall()
    assert rows, f"there is no {name}"
    for (command,) in rows:
        connection.execute(command.encode())


def _missing(connection: psycopg.Connection[Any], document: Document) -> set[str]:
    return {item.thing for item in prove(connection, document) if item.verdict == Verdict.MISSING}


def test_dropping_any_documented_thing_is_noticed(connection: psycopg.Connection[Any]) -> None:
    by_system = {document.system: document for document in documents()}
    unnoticed = []
    for system, name in _names():
        proof = by_system[system].proof
        expected = {item.thing for item in (*proof.refused, *proof.returns, *proof.index)
                    if name == item.by or (isinstance(item.by, list) and name in item.by)}  # fmt: skip
        with connection.transaction(force_rollback=True):
            _drop(connection, name)
            if not expected <= _missing(connection, by_system[system]):
                unnoticed.append(name)
    assert unnoticed == []
    connection.execute("vacuum analyze")  # the rolled back rows of many rounds change what the planner takes for cheap
    assert [_missing(connection, document) for document in documents()] == [set()] * len(documents()), "rolled back"


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.system)
def test_dropping_or_emptying_a_view_is_noticed(connection: psycopg.Connection[Any], document: Document) -> None:
    for table, columns in document.tables.items():
        names = {f"{document.schema}.{table}.{column}" for column in columns}
        with connection.transaction(force_rollback=True):
            connection.execute(f'drop view {document.schema}."{table}"'.encode())
            assert names <= _missing(connection, document)
        with connection.transaction(force_rollback=True):
            row = connection.execute("select pg_get_viewdef(%s::regclass)", (f'{document.schema}."{table}"',)).fetchone()
            assert row
            body = row[0].rstrip(";")
            connection.execute(
                f'create or replace view {document.schema}."{table}" as select * from ({body}) v where false'.encode()
            )
            assert names <= _missing(connection, document)
