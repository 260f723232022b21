"""Addresses of static files that browsers may cache for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).resolve().parent / "static"
"""The folder served under `/static/<version>/`."""


@cache
def version() -> str:
    """Return a short hash of every static file's path and content.

    One for the whole tree, in the path: relative addresses inside style sheets and ES modules include it.
    """
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]


@cache
def static(path: str) -> str:
    """Return the address of a static file such as `css/base.css`.

    Raises FileNotFoundError for a missing file, so that a wrong name fails at once.
    """
    if not (STATIC / path).is_file():
        raise FileNotFoundError(f"no static file {path}")
    return f"/static/{version()}/{path}"
