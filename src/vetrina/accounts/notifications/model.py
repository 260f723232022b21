"""Notifications: rows."""

from __future__ import annotations

from uuid import UUID

import msgspec


class Recipient(msgspec.Struct, frozen=True):
    """The account that a message goes to."""

    id: UUID
    name: str | None
    email: str | None
    phone: str | None
    email_verified: bool
    phone_verified: bool
    language: str | None
    """That the account has chosen for its letters."""
