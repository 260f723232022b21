"""`vetrina conform`: checks that every documented table and column exists for the reporting role."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings
from vetrina.reports.conformance import Document, conforms, documents


class Conformity(msgspec.Struct, frozen=True):
    """One document's tables and columns: how many could be read, and the problems."""

    document: str
    schema: str
    tables: int
    columns: int
    wrong: list[str]


def conform(*, json: bool = False) -> int:
    """Check that the reporting role can read every table and column that the documents name.

    Exit code 1 if one is missing.

    Args:
        json: Print the result as JSON.
    """
    config = settings.read()
    logs.configure(config.log_format, "conform")
    conformities = asyncio.run(_all(config))
    if json:
        output.as_json(conformities)
    else:
        _print(conformities)
    return exits.FAILED if any(item.wrong for item in conformities) else exits.OK


async def _all(config: Settings) -> list[Conformity]:
    async with reaching(config) as access:
        if access.note:
            print(f"vetrina: {access.note}", file=sys.stderr)
        return await asyncio.to_thread(examine, access.reporting)


def examine(uri: str) -> list[Conformity]:
    """Check every document against the database at `uri`."""
    with psycopg.connect(uri, autocommit=True) as connection:
        return [_one(connection, document) for document in documents()]


def _one(connection: psycopg.Connection[Any], document: Document) -> Conformity:
    wrong: list[str] = []
    for table, columns in document.tables.items():
        for column, expected in columns.items():
            name = f"{document.schema}.{table}.{column}"
            try:
                kind = _type(connection, document.schema, table, column)
            except psycopg.Error as error:
                wrong.append(f"{name}: {error.diag.message_primary or error}")
                continue
            if not conforms(expected, kind):
                wrong.append(f"{name} is {kind}, documented as {expected}")
    there = connection.execute(
        "select table_name, column_name from information_schema.columns where table_schema = %s order by 1, ordinal_position",
        (document.schema,),
    )
    wrong += [f"{document.schema}.{table}.{column} is in no document" for table, column in there
              if column not in document.tables.get(table, {})]  # fmt: skip
    count = sum(len(columns) for columns in document.tables.values())
    return Conformity(document.title, document.schema, len(document.tables), count, wrong)


def _type(connection: psycopg.Connection[Any], schema: str, table: str, column: str) -> str:
    """Return a column's type after reading a row of it. Raises psycopg's error if it cannot be read."""
    connection.execute(
        sql.SQL("select {} from {} limit 1").format(sql.Identifier(column), sql.Identifier(schema, table))
    ).fetchone()
    row = connection.execute(
        "select format_type(a.atttypid, null) from pg_attribute a where a.attrelid = %s::regclass and a.attname = %s",
        (sql.Identifier(schema, table).as_string(connection), column),
    ).fetchone()
    return row[0] if row else ""


def _print(conformities: list[Conformity]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("Document", "Schema", "Tables", "Columns", ""):
        table.add_column(title, justify="right" if title in {"Tables", "Columns"} else "left")
    for conformity in conformities:
        verdict = f"[red]{len(conformity.wrong)} wrong[/red]" if conformity.wrong else "[green]all there[/green]"
        table.add_row(conformity.document, conformity.schema, str(conformity.tables), str(conformity.columns), verdict)
    console = Console()
    console.print(table)
    for conformity in conformities:
        for wrong in conformity.wrong:
            console.print(f"  {wrong}", highlight=False, markup=False)
