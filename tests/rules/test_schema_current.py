"""schema.sql matches the migrations."""

from __future__ import annotations

import psycopg
import pytest

from scripts.schema import HERE, dump
from tests.rules.conftest import at


def test_schema_sql_is_current(server: str, migrated: str) -> None:
    with psycopg.connect(server) as connection:
        major = connection.info.server_version // 10000
    if major != 18:
        pytest.skip(f"schema.sql is written from PostgreSQL 18; the tests' server is {major}")
    assert dump(at(server, migrated, "vetrina_owner")).splitlines() == HERE.read_text("utf-8").splitlines(), "run `make schema`"
