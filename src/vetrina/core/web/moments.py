"""Points in time in a query: RFC 3339, and not a number, which msgspec takes for seconds since 1970."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar.params import Parameter

from vetrina.core.errors import Invalid

Moment = Annotated[
    str | None,
    Parameter(max_length=40, description="A point in time (RFC 3339).", schema_extra={"format": "date-time"}),
]


def moment(name: str, text: str | None) -> datetime | None:
    """Return the time that a parameter gives. Raises Invalid (422) for anything but RFC 3339."""
    if text is None:
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise Invalid(f"{name} must be a point in time, such as 2026-01-31T12:00:00Z.", parameter=name) from None
