"""One database for the tests of this folder, emptied before each test: cloning takes longer than most of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.fakes.stripe_lists import StripeListsFake

_EMPTY = """
do $$
declare v_table regclass;
begin
  set local session_replication_role = replica;  -- past the triggers that keep
  for v_table in select c.oid from pg_class c where c.relkind = 'r' and c.relnamespace = 'stripe_mirror'::regnamespace
                                               and c.relname <> 'kinds'
  loop execute format('delete from %s', v_table); end loop;
  delete from procrastinate_jobs;
end $$
"""


@pytest.fixture(scope="package")
def shared(server: str, template: str) -> Iterator[str]:
    """Create the database of this folder; yield its name."""
    name = f"mirror_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}".encode())
        yield name
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def database(server: str, shared: str) -> str:
    """Empty the mirror and return the database's URI as the application's role."""
    parts = urlsplit(server)
    place = parts.netloc.rpartition("@")[2]
    with psycopg.connect(urlunsplit(parts._replace(path=f"/{shared}")), autocommit=True) as connection:
        connection.execute(_EMPTY.encode())
    return urlunsplit(parts._replace(netloc=f"vetrina_app:test@{place}", path=f"/{shared}"))


@pytest.fixture
def lists() -> Iterator[StripeListsFake]:
    """Start a fake of Stripe's lists without objects."""
    with StripeListsFake() as result:
        yield result
