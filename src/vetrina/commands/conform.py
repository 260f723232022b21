"""`vetrina conform`: proves that everything the documents name holds in this database."""

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
from vetrina.reports.conformance import Document, every_document
from vetrina.reports.conformance.proof import Outcome, Verdict, prove


class Conformity(msgspec.Struct, frozen=True):
    """What became of everything that one document names."""

    document: str
    system: str
    schema: str
    outcomes: list[Outcome]
    unchecked: list[str]

    def of(self, verdict: Verdict) -> list[Outcome]:
        """Return the outcomes with this verdict."""
        return [item for item in self.outcomes if item.verdict == verdict]

    @property
    def wrong(self) -> list[str]:
        """Return what is missing, with the reasons."""
        return [f"{item.thing}: {item.reason}" for item in self.of(Verdict.MISSING)]


def conform(*systems: str, json: bool = False) -> int:
    """Prove that everything the documents name holds: columns, rules, indexes, queries.

    Exit code 1 if something is missing. Rows are planted in transactions that are rolled back.

    Args:
        systems: The documents: gallery, style-studio, cogento, ai-stayler, contacts. Default: all.
        json: Print the result as JSON.
    """
    config = settings.read()
    logs.configure(config.log_format, "conform")
    chosen = [document for document in every_document() if not systems or document.system in systems]
    if unknown := set(systems) - {document.system for document in chosen}:
        print(f"vetrina: there is no document {', '.join(sorted(unknown))}.", file=sys.stderr)
        return exits.USAGE
    conformities = asyncio.run(_all(config, chosen))
    if json:
        output.as_json(conformities)
    else:
        _print(conformities)
    return exits.FAILED if any(item.wrong for item in conformities) else exits.OK


async def _all(config: Settings, chosen: list[Document]) -> list[Conformity]:
    async with reaching(config) as access:
        if access.note:
            print(f"vetrina: {access.note}", file=sys.stderr)
        return await asyncio.to_thread(examine, access.owner, access.reporting, chosen)


def examine(owner: str, reporting: str, chosen: list[Document]) -> list[Conformity]:
    """Check documents against the database at `owner`, and that the role of `reporting` can read their columns."""
    with psycopg.connect(owner, autocommit=True) as connection, psycopg.connect(reporting, autocommit=True) as reader:
        return [
            Conformity(
                document.title, document.system, document.schema,
                [*_readable(reader, document, prove(connection, document)), *_undocumented(connection, document)],
                document.proof.unchecked,
            )
            for document in chosen
        ]  # fmt: skip


def _readable(connection: psycopg.Connection[Any], document: Document, outcomes: list[Outcome]) -> list[Outcome]:
    """Return the outcomes; a column that the reporting role cannot read is missing."""
    refused: dict[str, str] = {}
    for table, columns in document.tables.items():
        for column in columns:
            query = sql.SQL("select {} from {} limit 1").format(sql.Identifier(column), sql.Identifier(document.schema, table))
            try:
                connection.execute(query).fetchone()
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                refused[f"{document.schema}.{table}.{column}"] = error.diag.message_primary or str(error)
    return [
        Outcome(item.thing, Verdict.MISSING, refused[item.thing])
        if item.verdict == Verdict.HOLDS and item.thing in refused else item
        for item in outcomes
    ]  # fmt: skip


def _undocumented(connection: psycopg.Connection[Any], document: Document) -> list[Outcome]:
    """Return the columns of the document's schema that no document names."""
    if document.planned:  # its schema may hold the views of another list
        return []
    rows = connection.execute(
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 "
        "where c.relnamespace = to_regnamespace(%s) and not a.attisdropped and c.relkind in ('r', 'v', 'm', 'p') "
        "order by 1, a.attnum",
        (document.schema,),
    )
    return [Outcome(f"{document.schema}.{table}.{column}", Verdict.MISSING, "is in no document")
            for table, column in rows if column not in document.tables.get(table, {})]  # fmt: skip


def _print(conformities: list[Conformity]) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False)
    for title in ("Document", "System", "Things", "Hold", "Differ", "Missing"):
        table.add_column(title, justify="left" if title in {"Document", "System"} else "right")
    for item in conformities:
        counts = [len(item.of(verdict)) for verdict in Verdict]
        table.add_row(item.document, item.system, str(len(item.outcomes)), *map(str, counts))
    console.print(table)
    for item in conformities:
        _lines(console, f"{item.document}, different on purpose:",
               [f"{one.thing}: {one.reason}" for one in item.of(Verdict.DIFFERS)])  # fmt: skip
        _lines(console, f"{item.document}, not checked:", item.unchecked)
        _lines(console, f"{item.document}, missing:", item.wrong)
    counts = {verdict: sum(len(item.of(verdict)) for item in conformities) for verdict in Verdict}
    console.print(
        f"{sum(counts.values())} documented things: {counts[Verdict.HOLDS]} hold, {counts[Verdict.DIFFERS]} differ on purpose, "
        f"{counts[Verdict.MISSING]} missing",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _lines(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(f"\n{title}", highlight=False, markup=False, soft_wrap=True)
    for line in lines:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
