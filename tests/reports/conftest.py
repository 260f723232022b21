"""Fixtures of the reports' tests."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest


@pytest.fixture
def reporting(database: str, owner: str) -> Iterator[psycopg.Connection]:
    """Connect as the reporting role, with the limits that `vetrina up` sets."""
    parts = urlsplit(database)
    uri = urlunsplit(parts._replace(netloc=f"vetrina_reporting:test@{parts.netloc.rpartition('@')[2]}"))
    with psycopg.connect(uri, autocommit=True, options="-c default_transaction_read_only=on") as connection:
        yield connection
