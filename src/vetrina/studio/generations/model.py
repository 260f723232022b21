"""Generations: conversions as rows and in the API."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from vetrina.media.links import FileRef


class ConversionType(StrEnum):
    """Whether the free plan's allowance paid."""

    FREE = "free"
    PAID = "paid"


class PaidWith(StrEnum):
    """What paid for a conversion: the free plan's allowance, a bought plan's or pack's conversions, or tokens."""

    FREE = "free"
    PLAN = "plan"
    TOKENS = "tokens"


class ConversionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a conversion. `use_tokens` lets tokens pay once the month's conversions are used up."""

    file_id: UUID
    style_name: str
    parameters: dict[str, Any] = {}
    seed: int | None = None
    use_tokens: bool = False


class ConversionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `studio.conversions`, with the facts of its files."""

    account_id: UUID
    id: UUID
    conversion_type: str
    status: str
    style_name: str
    charge_asset: str
    cost: int
    error_message: str | None
    processing_time_ms: int | None
    file_size_bytes: int | None
    created_at: datetime
    completed_at: datetime | None
    input: dict[str, Any] | None
    output: dict[str, Any] | None


class Conversion(msgspec.Struct, kw_only=True):
    """A conversion in the API. Its id is that of its generation; `file_size_bytes` is the output's.

    `status` is pending, processing, completed or failed; a cancelled conversion has failed.
    """

    id: UUID
    conversion_type: ConversionType
    paid_with: PaidWith
    cost: int
    status: str
    style_name: str
    input: FileRef | None
    output: FileRef | None
    error_message: str | None
    processing_time_ms: int | None
    file_size_bytes: int | None
    created_at: datetime
    completed_at: datetime | None


class StartedConversion(msgspec.Struct, kw_only=True):
    """A conversion that was just started, and what is left of the month's conversions until `resets_at`."""

    conversion: Conversion
    remaining: int
    resets_at: datetime


class Allowance(msgspec.Struct, frozen=True):
    """What is left of the month's conversions."""

    remaining: int
    resets_at: datetime
