"""The storage folder on the local disk, read through the file system itself.

A put writes to a name with "#" and a number at its end, then renames. A killed process leaves that draft behind, which the
storage library neither lists nor deletes.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

_DRAFT = re.compile(r"(.+)#[0-9]+")


def keys(folder: Path, prefix: str) -> Iterator[str]:
    """Return every key in the folder `prefix` ("" for all), drafts included."""
    for parent, _, names in os.walk(folder / prefix):
        for name in names:
            yield (Path(parent) / name).relative_to(folder).as_posix()


def is_draft(key: str) -> bool:
    """Return whether a key is a draft's."""
    return _DRAFT.fullmatch(key) is not None


def remove(folder: Path, key: str) -> None:
    """Delete the file at `key`, its drafts, and folders that become empty. Missing files are no error.

    Raises OSError.
    """
    path = folder / key
    path.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(path.parent):
            if (draft := _DRAFT.fullmatch(name)) and draft[1] == path.name:
                (path.parent / name).unlink(missing_ok=True)
    _remove_empty(folder, path.parent)


def sweep(folder: Path, seconds: float) -> int:
    """Delete drafts not written to for `seconds` and return their number. Raises OSError."""
    removed = 0
    for key in filter(is_draft, keys(folder, "")):
        path = folder / key
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime >= seconds:
                path.unlink()
                removed += 1
                _remove_empty(folder, path.parent)
    return removed


def flush(folder: Path, key: str) -> None:
    """Flush a file and every folder from it up to `folder`, any of which may be new. Raises OSError."""
    path = folder / key
    while True:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if path == folder:
            return
        path = path.parent


def _remove_empty(folder: Path, path: Path) -> None:
    while path != folder and folder in path.parents:
        try:
            path.rmdir()
        except OSError:  # not empty, or gone
            return
        path = path.parent
