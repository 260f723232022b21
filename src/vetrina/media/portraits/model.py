"""Rows of profiles with portraits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class ProfileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A profile's row; `business` and portraits are JSON or null.

    `handle_may_change_at` is when the handle can be changed again; null if now.
    """

    account_id: UUID
    handle: str | None
    kind: str
    name: str | None
    bio: str | None
    business: dict[str, Any] | None
    avatar: dict[str, Any] | None
    logo: dict[str, Any] | None
    verified_domains: list[str]
    handle_may_change_at: datetime | None
    joined_at: datetime
