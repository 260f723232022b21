"""Notifications: rows, refusals."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from vetrina.core.database.ids import AccountId


class Channel(StrEnum):
    """Ways in which an account is notified."""

    APP = "app"
    MAIL = "mail"
    PUSH = "push"


class Event(NamedTuple):
    """Something that an account should learn of; see `actions.notify`."""

    account: AccountId | UUID
    kind: str
    subject: str = ""
    actor: UUID | None = None
    details: dict[str, Any] | None = None
    repeats: bool = True


class Actor(msgspec.Struct, frozen=True):
    """An account that caused a notification."""

    id: UUID
    name: str | None
    handle: str | None


class GroupRow(msgspec.Struct, frozen=True):
    """Notifications of one kind and subject: the newest one's id, details and time."""

    id: UUID
    kind: str
    subject: str
    details: dict[str, Any]
    is_read: bool
    total: int
    """Rows in the group, at most 1000."""
    actors: list[dict[str, Any]]
    """The latest two, as `Actor`s."""
    created_at: datetime


class PreferenceRow(msgspec.Struct, frozen=True):
    """An account's choice for a kind and channel."""

    kind: str
    channel: str
    is_on: bool
