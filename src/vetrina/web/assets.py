"""Addresses of static files that browsers may cache for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).resolve().parent / "static"
"""Static files of the whole site; those of one module or room are in a `static` folder there."""


@cache
def static_folders() -> tuple[Path, ...]:
    """Return the folders whose files are served together: `web/static`, and `static` beside a module's or room's templates."""
    package = STATIC.parents[1]
    return (STATIC, *sorted({*package.glob("*/static"), *package.glob("*/*/static")} - {STATIC}))


@cache
def static_files() -> dict[str, Path]:
    """Return every static file by its path, such as `css/base.css`. Raises ValueError for a path in two folders."""
    files: dict[str, Path] = {}
    for folder in static_folders():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and files.setdefault(name := path.relative_to(folder).as_posix(), path) != path:
                raise ValueError(f"two static files {name}: {files[name]}, {path}")
    return files


@cache
def version() -> str:
    """Return a short hash of every static file's path and content.

    One for the whole tree, in the path: relative addresses inside style sheets and ES modules include it.
    """
    digest = hashlib.sha256()
    for name, path in sorted(static_files().items()):
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]


@cache
def static(path: str) -> str:
    """Return the address of a static file such as `css/base.css`.

    Raises FileNotFoundError for a missing file, so that a wrong name fails at once.
    """
    if path not in static_files():
        raise FileNotFoundError(f"no static file {path}")
    return f"/static/{version()}/{path}"
