"""No table with personal data is missing from exports and erasures."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from tests.rules.catalogue import Catalogue
from vetrina import modules
from vetrina.core import personal_data as privacy
from vetrina.core.settings.environment import read

BESIDES = {"accounts.accounts", "accounts.verifications", "core.outbox"}
"""Tables that name somebody without their account's id."""


def of_people(catalogue: Catalogue) -> set[str]:
    """Return the tables that hold personal data."""
    return {
        table for table, columns in catalogue.columns.items() if any(column.endswith("account_id") for column in columns)
    } | BESIDES


def named() -> list[tuple[str, privacy.TableRule]]:
    return [(part.module, table) for part in privacy.declarations(modules.of(read({}))) for table in part.tables]


def test_every_table_with_personal_data_is_declared_once(catalogue: Catalogue) -> None:
    result = [table.table for _, table in named()]
    assert sorted({item for item in result if result.count(item) > 1}) == []
    reported = "name it in the module's personal_data.py: what an export holds, what an erasure does"
    assert sorted(of_people(catalogue) - set(result)) == [], reported
    assert sorted(set(result) - of_people(catalogue)) == [], "there is no such table, or nobody in it"


def test_each_module_declares_its_own_tables() -> None:
    assert [table.table for module, table in named() if table.table.split(".")[0] != module] == []


def test_exceptions_from_export_or_erasure_have_a_reason() -> None:
    assert [table.table for _, table in named() if None in (table.export, table.erase) and len(table.why) < 10] == []


def test_each_statement_is_about_one_account_and_its_own_table() -> None:
    for _, table in named():
        for statement in (table.export, table.erase):
            if statement is not None:
                assert set(re.findall(r"%\((\w+)\)s", statement.sql)) == {"account"}, table.table
                assert table.table in statement.sql, table.table


def test_no_secret_is_exported(as_owner: psycopg.Connection[Any]) -> None:
    """Columns of exported tables that look like secrets are removed from the rows."""
    secret = re.compile(r"hash|secret|storage_key|password")
    for _, table in named():
        if table.export is None or "to_jsonb" not in table.export.sql:
            continue
        schema, name = table.table.split(".")
        columns = as_owner.execute(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s", (schema, name)
        )
        for (column,) in columns.fetchall():
            if secret.search(column):
                assert f"- '{column}'" in table.export.sql, f"{table.table}.{column}"
