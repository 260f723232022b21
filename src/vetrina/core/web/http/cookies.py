"""Cookies as they arrive: read in time that grows with their length.

The library's parsers undo backslashes one at a time, and copy the rest for each: eight kilobytes of them take half a second.
No cookie of ours holds one, so that those which do are left out before anything reads them.
"""

from __future__ import annotations

Header = tuple[bytes, bytes]


def without_backslashes(headers: list[Header]) -> list[Header]:
    """Return the headers, the same list if no cookie has a backslash."""
    if not any(name == b"cookie" and b"\\" in value for name, value in headers):
        return headers
    return [(name, _plain(value) if name == b"cookie" else value) for name, value in headers]


def value_of(header: str, cookie: str) -> str | None:
    """Return the value of a cookie in a Cookie header, the last if there are several; None if there is none."""
    result = None
    for pair in header.split(";"):
        name, separator, value = pair.partition("=")
        if separator and name.strip() == cookie:
            result = value.strip().strip('"')
    return result


def _plain(value: bytes) -> bytes:
    return b";".join(pair for pair in value.split(b";") if b"\\" not in pair)
