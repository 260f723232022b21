"""One migrated database for all rules, which only read it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.rules.catalogue import Catalogue


def at(server: str, name: str, role: str) -> str:
    """Return the URI of the database `name` as `role`."""
    parts = urlsplit(server)
    return urlunsplit(parts._replace(netloc=f"{role}:test@{parts.netloc.rpartition('@')[2]}", path=f"/{name}"))


@pytest.fixture(scope="session")
def migrated(server: str, template: str) -> Iterator[str]:
    """Yield the name of a clone of the migrated database."""
    name = f"rules_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}".encode())
        yield name
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def as_owner(server: str, migrated: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to it as its owner."""
    with psycopg.connect(at(server, migrated, "vetrina_owner"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def as_app(server: str, migrated: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to it as the application."""
    with psycopg.connect(at(server, migrated, "vetrina_app"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def catalogue(as_owner: psycopg.Connection[Any]) -> Catalogue:
    """Return the database's catalogue."""
    return Catalogue.read(as_owner)
