"""A PostgreSQL server for the tests: our own embedded one, thrown away afterwards, so that nothing need be there.

A test's database is a clone of a migrated template. Emptying a used one instead is slower: sequences, seeded tables and
settings would have to be restored.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from vetrina.core.embedded import Cluster

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "autovacuum": "on",
    "max_locks_per_transaction": "256",
    "shared_buffers": "64MB",  # creating and dropping a database search all of them
    "file_copy_method": "clone",  # the kernel copies the files of a template
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "scram_iterations": "1",  # a connection for each test: the 4,096 of the default take 5 ms each
}
MEMORY = Path("/dev/shm")
"""A file system in memory: creating and removing the 740 files of a database takes a sixth of the time there."""
NEEDED = 2 << 30
"""Bytes free for the databases of one test run; with less, they are on disk."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URI of its superuser. VETRINA_TEST_SERVER names one that stands already."""
    if given := os.environ.get("VETRINA_TEST_SERVER"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="vetrina-test-", dir=_root()) as folder:
        cluster = Cluster(Path(folder), settings=SETTINGS)
        asyncio.run(cluster.start())
        try:
            yield cluster.uri("superuser", "postgres")
        finally:
            asyncio.run(cluster.stop())


def _root() -> Path | None:
    """Return the folder for the server's files: in memory if there is room; None for the usual one."""
    with contextlib.suppress(OSError):
        if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= NEEDED:
            return MEMORY
    return None


class Clones:
    """Databases cloned from a template ahead of need by a thread, which drops them after use as well."""

    def __init__(self, server: str, template: str, ahead: int = 2) -> None:
        self._server, self._template, self._ahead = server, template, ahead
        self._ready: deque[str] = deque()
        self._used: deque[str] = deque()
        self._change = threading.Condition()
        self._ending = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="clones", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._change:
            self._ending = True
            self._used.extend(self._ready)
            self._change.notify_all()
        self._thread.join()

    def take(self) -> str:
        """Return the name of a database that nothing has used. Raises what kept the thread from making one."""
        with self._change:
            self._change.wait_for(lambda: self._ready or self._error)
            if self._error:
                raise self._error
            name = self._ready.popleft()
            self._change.notify_all()
            return name

    def give_back(self, name: str) -> None:
        """Have a database dropped, and whatever is still connected to it disconnected."""
        with self._change:
            self._used.append(name)
            self._change.notify_all()

    def _run(self) -> None:
        try:
            with psycopg.connect(self._server, autocommit=True) as connection:
                while (work := self._wait()) != "end":
                    if work == "make":
                        name = f"test_{secrets.token_hex(6)}"
                        # copying files takes half the time of the default strategy
                        connection.execute(f"create database {name} template {self._template} strategy file_copy".encode())
                        with self._change:
                            self._ready.append(name)
                            self._change.notify_all()
                    else:
                        connection.execute(f"drop database if exists {self._used.popleft()} with (force)".encode())
        except Exception as error:
            with self._change:
                self._error = error
                self._change.notify_all()

    def _wait(self) -> str:
        """Wait for what is to be done next. Making comes before dropping: a test waits for it."""
        with self._change:
            self._change.wait_for(lambda: self._ending or self._used or len(self._ready) < self._ahead)
            if not self._ending and len(self._ready) < self._ahead:
                return "make"
            return "drop" if self._used else "end"
