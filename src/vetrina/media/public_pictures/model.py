"""Rows, reasons and refusals of public pictures."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal

State = Literal["reported", "public", "taken_down", "featured"]
"""Which pictures an operator lists."""


class Reason(StrEnum):
    """The reason of a report."""

    RIGHTS = "rights"
    PRIVACY = "privacy"
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    HATE = "hate"
    SPAM = "spam"
    OTHER = "other"


class ReportState(StrEnum):
    """The state of a report."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class OpenReport(msgspec.Struct, frozen=True, kw_only=True):
    """The joined reports of one picture for one reason. `count` is the number of visitors, up to 100; `notes` are their words."""

    reason: Reason
    count: int
    notes: list[str]
    created_at: datetime


class PictureRow(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as operators see it, with its owner and decisions."""

    account_id: UUID
    id: UUID
    file: dict[str, Any]
    owner: str | None
    handle: str | None
    owner_is_active: bool
    is_public: bool
    generation_id: str | None
    takedown_reason: str | None
    taken_down_at: datetime | None
    is_featured: bool
    reports: list[dict[str, Any]]
    created_at: datetime


class TakenDown(Refusal):
    """An operator removed this picture from the public gallery. It cannot be published again."""

    status = 409
    constraint = "file_not_taken_down"


class TakedownReasonLength(Refusal):
    """Give a reason of up to 400 characters: its owner reads it, and the audit log keeps it."""

    status = 422
    constraint = "takedown_reason_length"
    field = "reason"


class NotPublic(Refusal):
    """This picture is not public."""

    status = 409
