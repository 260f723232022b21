"""Identifiers: UUIDv7 made by the application, so that rows sort by the time they were made."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

import uuid_utils.compat

AccountId = NewType("AccountId", UUID)


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, the rest random."""
    return uuid_utils.compat.uuid7()


def read_id(text: object) -> UUID | None:
    """The id that a form or another's message gives as text; None for what is none."""
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
