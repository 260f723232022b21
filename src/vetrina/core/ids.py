"""Identifiers: UUIDv7 made by the application, so that rows sort by the time they were made."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

import uuid_utils.compat

AccountId = NewType("AccountId", UUID)


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562): 48 bits of milliseconds, the rest random."""
    return uuid_utils.compat.uuid7()
