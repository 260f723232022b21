"""A PostgreSQL server for the tests: our own embedded one, thrown away afterwards, so that nothing need be there."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vetrina.core.embedded import Cluster

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "autovacuum": "on",
    "max_locks_per_transaction": "256",
}


@contextmanager
def server() -> Iterator[str]:
    """The URI of its superuser. VETRINA_TEST_SERVER names one that stands already."""
    if given := os.environ.get("VETRINA_TEST_SERVER"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="vetrina-test-") as folder:
        cluster = Cluster(Path(folder), settings=SETTINGS)
        asyncio.run(cluster.start())
        try:
            yield cluster.uri("superuser", "postgres")
        finally:
            asyncio.run(cluster.stop())
