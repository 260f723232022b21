"""The database's catalogue follows the design: owner-first keys, constraint names, layers, roles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import psycopg
import pytest

from tests.rules.catalogue import LIBRARY, Catalogue
from tests.rules.catalogue_exceptions import INSIDE, KEPT, LENT, NEVER_CHANGED, REFERENCE, SHARED, UNINDEXED
from tests.rules.code import MODULES, below, everything, statements, updated, written
from vetrina.core import errors as refusals


def module(name: str) -> str:
    """Return the schema of schema.table."""
    return name.split(".")[0]


def test_every_schema_is_a_module(catalogue: Catalogue) -> None:
    assert {module(table) for table in catalogue.columns} | {
        function.schema for function in catalogue.functions if not function.schema.startswith("doc_")
    } <= {"core", *MODULES}


def test_every_table_is_owner_first(catalogue: Catalogue) -> None:
    assert {table for table in catalogue.columns if not catalogue.owner_first(table)} == set(REFERENCE)


def test_references_to_owned_rows_include_the_owner(catalogue: Catalogue) -> None:
    wrong = [
        constraint.name
        for constraint in catalogue.constraints
        if constraint.kind == "f" and constraint.target and catalogue.owner_first(constraint.target)
        and not any(others == "account_id" and ours.endswith("account_id")
                    for ours, others in zip(constraint.columns, constraint.target_columns, strict=True))
    ]  # fmt: skip
    assert wrong == []


def test_foreign_keys_point_to_lower_modules(catalogue: Catalogue) -> None:
    keys = [constraint for constraint in catalogue.constraints if constraint.kind == "f" and constraint.target]
    assert keys
    assert [key.name for key in keys if not below(module(str(key.target)), module(key.table))] == []


def test_every_constraint_is_named_by_us(catalogue: Catalogue) -> None:
    automatic = re.compile(r"_(check|fkey|key|excl|idx)\d*$")
    assert [
        constraint.name for constraint in catalogue.constraints if constraint.kind != "p" and automatic.search(constraint.name)
    ] == []
    assert [index.name for index in catalogue.indexes if automatic.search(index.name)] == []


def test_constraint_names_are_unique(catalogue: Catalogue) -> None:
    names = [constraint.name for constraint in catalogue.constraints if constraint.kind != "p"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def _changed(catalogue: Catalogue) -> set[str]:
    """Return tables whose rows our statements, functions or foreign key actions change."""
    texts = [statement.sql for statement in statements().values()] + [function.body for function in catalogue.functions]
    acting = {constraint.table for constraint in catalogue.constraints if constraint.on_delete in {"n", "d"}}
    return {table for text in texts for table in updated(text)} & set(catalogue.columns) | acting


def test_every_table_has_created_and_updated_times(catalogue: Catalogue) -> None:
    assert [table for table, columns in catalogue.columns.items() if "created_at" not in columns] == []
    dated = {table for table, columns in catalogue.columns.items() if "updated_at" in columns}
    touched = {table for table, functions in catalogue.triggers.items() if "core.touch" in functions}
    assert dated == touched
    changed = _changed(catalogue)
    assert changed - dated <= set(NEVER_CHANGED)
    assert {"wallet.wallets", "studio.generations", "core.idempotency_keys"} <= changed


def test_append_only_tables_are_only_appended_to(catalogue: Catalogue) -> None:
    assert "wallet.entries" in catalogue.append_only()
    assert catalogue.append_only() & _changed(catalogue) == set()


def test_every_foreign_key_has_an_index(catalogue: Catalogue) -> None:
    bare = set[str]()
    for key in (constraint for constraint in catalogue.constraints if constraint.kind == "f"):
        primary = catalogue.primary[str(key.target)]
        # An index on the columns that find the other row's primary key finds few rows; the rest is a filter.
        expected = {ours for ours, others in zip(key.columns, key.target_columns, strict=True) if others in primary}
        fits = any(
            expected <= set(index.columns[: len(key.columns)]) and set(index.columns[: len(expected)]) <= set(key.columns)
            for index in catalogue.indexes
            if index.table == key.table and _covers(index.predicate, key.columns)
        )
        if not fits:
            bare.add(key.name)
    assert bare == set(UNINDEXED)


def _covers(predicate: str | None, columns: Iterable[str]) -> bool:
    return predicate is None or predicate in {f"({column} IS NOT NULL)" for column in columns}


def _names(catalogue: Catalogue) -> set[str]:
    """Return all names under which a rule can be violated."""
    constraints = {constraint.name for constraint in catalogue.constraints if constraint.kind in "cux"}
    return constraints | catalogue.raised() | {index.name for index in catalogue.indexes if index.unique and index.predicate}


def test_every_refusal_names_a_constraint_that_exists(catalogue: Catalogue) -> None:
    everything()
    existing = _names(catalogue) | {constraint.name for constraint in catalogue.constraints}
    assert set(refusals.constraints()) - existing == set()


def test_every_reachable_constraint_has_a_refusal(catalogue: Catalogue) -> None:
    everything()
    inside = [name for names in INSIDE.values() for name in names]
    text = set(refusals.constraints())
    assert _names(catalogue) - text - set(inside) == set(), "give it a Refusal, or say why nobody can run into it"
    assert set(inside) - (_names(catalogue) - text) == set(), "the list names what is not there or has a refusal by now"


def test_only_the_owning_module_writes(catalogue: Catalogue) -> None:
    texts = [(name.split(".")[0], name, item.sql) for name, item in statements().items()]
    texts += [(function.schema, f"{function.schema}.{function.name}()", function.body) for function in catalogue.functions]
    wrong = [
        f"{name} writes {table}"
        for home, name, text in texts
        for table in written(text)
        if module(table) != home and table not in SHARED and table in catalogue.columns
    ]
    assert wrong == []
    assert any(table == "wallet.entries" for _, _, text in texts for table in written(text)), "the writes are not seen at all"


def test_functions_call_only_lower_modules(catalogue: Catalogue) -> None:
    existing = {f"{function.schema}.{function.name}" for function in catalogue.functions}
    texts = [(name.split(".")[0], name, item.sql) for name, item in statements().items()]
    texts += [(function.schema, f"{function.schema}.{function.name}()", function.body) for function in catalogue.functions]
    wrong = [
        f"{name} calls {called}"
        for home, name, text in texts
        for called in re.findall(r"\b(\w+\.\w+)\s*\(", text)
        if called in existing and home in {"core", *MODULES} and not below(module(called), home)
    ]
    assert wrong == []


def test_no_function_lends_its_owners_rights(catalogue: Catalogue) -> None:
    assert {f"{function.schema}.{function.name}" for function in catalogue.functions if function.definer} == set(LENT)


def test_the_application_has_no_ddl(as_app: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    for schema in sorted({module(table) for table in catalogue.columns} | {LIBRARY}):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_app.execute(f"create table {schema}.of_the_application ()".encode())
    for command in (
        "create schema of_the_application",
        "alter table wallet.entries disable trigger user",
        "drop table wallet.entries",
        "create or replace function core.touch() returns trigger language plpgsql as 'begin return new; end'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_app.execute(command.encode())
    role = as_app.execute("select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls from pg_roles where rolname = current_user")
    assert role.fetchone() == (False, False, False, False)


def _may(connection: psycopg.Connection[Any], role: str, right: str) -> set[str]:
    """Return the tables on which a role has a right, wholly or on some column."""
    check = "has_table_privilege" if right in {"delete", "truncate"} else "has_any_column_privilege"
    rows = connection.execute(
        f"""select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)'
               and {check}('{role}', c.oid, '{right}')""".encode()
    )
    return {row[0] for row in rows}


def test_the_application_cannot_change_ledgers(as_owner: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    ledgers = catalogue.append_only()
    for right in ("update", "delete", "truncate"):
        assert _may(as_owner, "vetrina_app", right) & ledgers == set()
    assert _may(as_owner, "vetrina_app", "delete") & (KEPT | {"core.migrations"}) == set()
    assert _may(as_owner, "vetrina_app", "truncate") == set()
    assert "core.migrations" not in _may(as_owner, "vetrina_app", "insert")
    assert ledgers <= _may(as_owner, "vetrina_app", "insert") & _may(as_owner, "vetrina_app", "select")


def test_reporting_role_sees_no_module_table(as_owner: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    assert _may(as_owner, "vetrina_reporting", "select") & set(catalogue.columns) == set()
