"""Settings that an operator changes while the site runs: rows of core.settings. A new value has the type of the old one.

`limits.NAME` are rate limits (`core.rate_limits`). Each process reads its settings again within a few seconds; a trigger writes
changes to the audit log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Statement, Tx
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.rate_limits import Limit
from vetrina.web import time_zones

_COUNT = range(0, 1_000_000_001)
_TEXT = 4000
_FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "security_contact": (
        lambda value: bool(re.fullmatch(r"((mailto:[^@\s]+@|https://)[^\s]{3,200})?", value)),
        "This is mailto:security@example.com or https://example.com/security.",
    ),
    "seller_time_zone": (
        lambda value: time_zones.named(value) is not None,
        "This is the name of a time zone: UTC, Asia/Tehran, Europe/Berlin.",
    ),
}
"""Settings whose text has a certain form, by the end of their key: the check, and the refusal of another text."""


class SettingRow(msgspec.Struct, frozen=True):
    """A setting's current state."""

    key: str
    value: Any
    description: str
    updated_at: datetime


class BadValue(Refusal):
    """This value does not fit the setting."""

    status = 422
    field = "value"


LIST = Statement(SettingRow, "select key, value, description, updated_at from core.settings order by key")
LOCKED = Statement(SettingRow, "select key, value, description, updated_at from core.settings where key = %(key)s for update")
PUT = Statement(
    SettingRow,
    """
    update core.settings set value = %(value)s where key = %(key)s returning key, value, description, updated_at
    """,
)


IS_SENSITIVE = Statement(bool, "select is_sensitive from core.settings where key = %(key)s")
SECURITY_CONTACT = Statement(str, "select value #>> '{}' from core.settings where key = 'site.security_contact'")


async def put(tx: Tx, key: str, value: Any) -> SettingRow:
    """Set a setting's value. Raises NotFound (404) for an unknown key, BadValue (422)."""
    now = await tx.fetch_optional(LOCKED, key=key)
    if now is None:
        raise NotFound(f"There is no setting {key[:60]}.")
    _check(key, now.value, value)
    return await tx.fetch_one(PUT, key=key, value=Jsonb(value))


async def differences(tx: Tx, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the present values of the settings that are not as in `values`, by key."""
    rows = {row.key: row.value for row in await tx.fetch_all(LIST)}
    return {key: rows.get(key) for key, value in values.items() if rows.get(key) != value}


async def put_all(tx: Tx, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set these settings; return the former values of those that changed. Raises as `put` does."""
    former = await differences(tx, values)
    for key in former:
        await put(tx, key, values[key])
    return former


def parse_value(text: str) -> Any:
    """Parse a value as operators write it: JSON; 100/60 for a limit of a count per seconds; otherwise text."""
    if match := re.fullmatch(r"\s*(\d{1,10})\s*/\s*(\d{1,6})\s*", text, re.ASCII):
        return {"count": int(match[1]), "seconds": int(match[2])}
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError):
        return text


def format_value(key: str, value: Any) -> str:
    """Return a setting's value in the format that `parse_value` parses."""
    if key.startswith("limits."):
        try:
            limit = msgspec.convert(value, Limit)
            return f"{limit.count}/{limit.seconds}"
        except msgspec.ValidationError:
            pass
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _check(key: str, now: Any, value: Any) -> None:
    if key.startswith("limits."):
        try:
            msgspec.convert(value, Limit)
        except msgspec.ValidationError:
            raise BadValue(
                "A limit is count/seconds, such as 100/60: 0 (without end) to two thousand million in 1 to 86400 seconds."
            ) from None
    elif isinstance(now, bool):
        if not isinstance(value, bool):
            raise BadValue("This is true or false.")
    elif isinstance(now, int):
        if isinstance(value, bool) or not isinstance(value, int) or value not in _COUNT:
            raise BadValue("This is a whole number, 0 or more.")
    elif type(value) is not type(now):
        raise BadValue("This has to be of the same kind as it was before.")
    elif len(msgspec.json.encode(value)) > _TEXT:
        raise BadValue(f"At most {_TEXT} characters.")
    elif (expected := _FORMATS.get(key.rpartition(".")[2])) is not None and not expected[0](value):
        raise BadValue(expected[1])
