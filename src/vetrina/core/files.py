"""Atomic file writes, and work folders that a killed process may leave behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

WORK = "work"
"""The folder in the data folder for files that are wanted for as long as one piece of work takes."""


def write_whole(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file of mode 0600: a temporary file, flushed, renamed, and the folder flushed.

    Without `replace` an existing file is kept: of concurrent writers, one wins. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(draft, path)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        flush_folder(path.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)


def flush_folder(path: Path) -> None:
    """Flush a folder's entries to disk, so that they survive a power failure. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def work_folder(data: Path) -> Generator[Path]:
    """Give a folder that is deleted afterwards, and by `sweep_work` if the process is killed. Raises OSError."""
    parent = data / WORK
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def sweep_work(data: Path, seconds: float) -> int:
    """Delete the work folders in which nothing has changed for `seconds`; how many."""
    removed = 0
    for folder in (data / WORK).glob("*"):
        if time.time() - _last_change(folder) >= seconds:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _last_change(folder: Path) -> float:
    latest = 0.0
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            latest = max(latest, path.stat().st_mtime)
    return latest
