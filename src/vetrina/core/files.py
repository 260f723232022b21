"""Files that must be whole: written so that a crash leaves the old one or the new one, on the disk."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file of mode 0600: a temporary file, flushed, renamed, and the folder flushed.

    Without `replace` a file that is already there stays: of processes that race for it, one wins. Raises OSError.
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
    """Make the names in a folder survive a power cut. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
