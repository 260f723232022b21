"""`Range` requests (RFC 9110, 14): one range of bytes of something whose size is known."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))", re.ASCII)


class NotSatisfiable(Exception):
    """The range begins behind the end of something of `size` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"there are {size} bytes")
        self.size = size


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last; None for the whole, as for a header that is no single range.

    Raises NotSatisfiable (416).
    """
    match = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(size - int(suffix), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last is not None else size
        if last is not None and int(last) < start:
            return None  # no valid range
    if start >= size or start == end:
        raise NotSatisfiable(size)
    return start, end
