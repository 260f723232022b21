"""A PostgreSQL server for the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def server() -> Iterator[str]:
    """The URI of its superuser."""
    yield os.environ["VETRINA_TEST_SERVER"]
