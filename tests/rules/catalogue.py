"""The migrated database as pg_catalog describes it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import psycopg

LIBRARY = "public"
"""procrastinate's schema, exempt from our rules."""


@dataclass(frozen=True)
class Constraint:
    """A key, check, or foreign key, with its `columns` in order."""

    table: str
    name: str
    kind: str
    columns: tuple[str, ...]
    target: str | None
    target_columns: tuple[str, ...]
    on_delete: str


@dataclass(frozen=True)
class Index:
    """An index; `columns` are its key columns, None for an expression; `predicate` of a partial one."""

    table: str
    name: str
    unique: bool
    columns: tuple[str | None, ...]
    predicate: str | None


@dataclass(frozen=True)
class Function:
    """One of our functions."""

    schema: str
    name: str
    body: str
    definer: bool


@dataclass
class Catalogue:
    """Data for the rules, by schema.table."""

    columns: dict[str, set[str]]
    constraints: list[Constraint]
    indexes: list[Index]
    functions: list[Function]
    triggers: dict[str, set[str]]
    primary: dict[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.primary = {constraint.table: constraint.columns for constraint in self.constraints if constraint.kind == "p"}

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Catalogue:
        """Read the catalogue from the database."""
        ours = f"n.nspname not in ('{LIBRARY}', 'information_schema', 'pg_catalog', 'pg_toast') and n.nspname !~ '^pg_'"
        columns: dict[str, set[str]] = {}
        for table, column in connection.execute(f"""
            select n.nspname || '.' || c.relname, a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace
              join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where c.relkind in ('r', 'p') and {ours}"""):
            columns.setdefault(table, set()).add(column)
        constraints = [
            Constraint(table, name, kind, tuple(own), target, tuple(others), on_delete)
            for table, name, kind, own, target, others, on_delete in connection.execute(f"""
            select coalesce(n.nspname || '.' || c.relname, 'domain ' || n.nspname || '.' || t.typname), o.conname,
                   o.contype::text,
                   array(select a.attname::text from unnest(o.conkey) with ordinality k (n, i)
                           join pg_attribute a on a.attrelid = o.conrelid and a.attnum = k.n order by k.i),
                   fn.nspname || '.' || f.relname,
                   array(select a.attname::text from unnest(o.confkey) with ordinality k (n, i)
                           join pg_attribute a on a.attrelid = o.confrelid and a.attnum = k.n order by k.i),
                   o.confdeltype::text
              from pg_constraint o join pg_namespace n on n.oid = o.connamespace
              left join pg_class c on c.oid = o.conrelid left join pg_type t on t.oid = o.contypid
              left join pg_class f on f.oid = o.confrelid left join pg_namespace fn on fn.oid = f.relnamespace
             where o.contype in ('p', 'u', 'c', 'f', 'x') and {ours} order by 1, 2""")
        ]
        indexes = [
            Index(table, name, unique, tuple(own), predicate)
            for table, name, unique, own, predicate in connection.execute(f"""
            select n.nspname || '.' || c.relname, i.relname, x.indisunique,
                   array(select a.attname::text from unnest(x.indkey[0:x.indnkeyatts - 1]) with ordinality k (n, i)
                           left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.n and k.n > 0 order by k.i),
                   pg_get_expr(x.indpred, x.indrelid)
              from pg_index x join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
              join pg_class i on i.oid = x.indexrelid where {ours} order by 1, 2""")
        ]
        functions = [
            Function(*row)
            for row in connection.execute(f"""
            select n.nspname, p.proname, p.prosrc, p.prosecdef from pg_proc p join pg_namespace n on n.oid = p.pronamespace
             where {ours} order by 1, 2""")
        ]
        triggers: dict[str, set[str]] = {}
        for table, function in connection.execute(f"""
            select n.nspname || '.' || c.relname, fn.nspname || '.' || p.proname
              from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
              join pg_proc p on p.oid = t.tgfoid join pg_namespace fn on fn.oid = p.pronamespace
             where not t.tgisinternal and {ours}"""):
            triggers.setdefault(table, set()).add(function)
        return cls(
            columns,
            constraints,
            indexes,
            functions,
            triggers,
        )

    def owner_first(self, table: str) -> bool:
        """Return whether the primary key begins with the owner."""
        return self.primary.get(table, ("",))[0] == "account_id"

    def append_only(self) -> set[str]:
        """Return the tables that a trigger protects from changes."""
        return {table for table, functions in self.triggers.items() if "core.refuse_change" in functions}

    def raised(self) -> set[str]:
        """Return constraint names that triggers and functions raise as if they were constraints."""
        named = {name for function in self.functions for name in re.findall(r"constraint\s*=\s*'(\w+)'", function.body)}
        return named | {f"{table.split('.')[1]}_append_only" for table in self.append_only()}
