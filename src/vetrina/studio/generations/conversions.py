"""Conversions: generations of one picture in one style, paid from the month's allowance first.

They are generations like any other (`studio.conversions` is a view of them); what is decided here is only what pays.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import KeyReused, NotFound
from vetrina.core.services import Services
from vetrina.media.links import FileFacts, FileRef, ref
from vetrina.studio.generations import actions
from vetrina.studio.generations.actions import GenerationRequest
from vetrina.wallet.model import InsufficientCredits


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
    conversion_type: ConversionType
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


_ROWS = """
    select c.account_id, c.id, c.conversion_type, c.status, c.style_name, c.charge_asset::text as charge_asset, c.cost,
           c.error_message, c.processing_time_ms, c.file_size_bytes, c.created_at, c.completed_at,
           (select media.facts(f) from media.files f where f.account_id = c.account_id and f.id = c.input_file_id) as input,
           (select media.facts(f) from media.files f where f.account_id = c.account_id and f.id = c.output_file_id) as output
      from studio.conversions c
"""
ONE = Statement(ConversionRow, f"{_ROWS} where c.account_id = %(account)s and c.id = %(id)s")
HISTORY = Statement(
    ConversionRow, f"{_ROWS} where c.account_id = %(account)s and c.id < %(before)s order by c.id desc limit %(limit)s"
)
CATEGORY = Statement(str, "select category from media.files where account_id = %(account)s and id = %(file)s")
ALLOWANCE = Statement(
    Allowance,
    "select free_left + paid_left as remaining, resets_at from wallet.allowance(%(account)s, 'conversion')",
)


async def start(
    services: Services, account: AccountId, session: UUID, wish: ConversionRequest, *, key: str | None = None
) -> StartedConversion:
    """Start a conversion, paid by the free plan's allowance, then the bought plan's, then tokens if `use_tokens` allows them.

    Raises NotFound for a file of another account, QuotaUsedUp (402) with the reset date, and what `actions.start` raises.
    """
    async with services.db.read() as tx:
        category = await tx.fetch_optional(CATEGORY, account=account, file=wish.file_id)
    if category is None:
        raise NotFound
    role = "model_files" if category == "model_image" else "product_files"
    request = GenerationRequest(
        style_name=wish.style_name,
        parameters=wish.parameters,
        seed=wish.seed,
        asset="conversion",
        **{role: [wish.file_id]},
    )
    try:
        generation = await actions.start(services, account, session, request, key=key)
    except (InsufficientCredits, KeyReused):
        # A repeated request that tokens paid for carries the same key with another payment.
        if not wish.use_tokens:
            raise
        generation = await actions.start(services, account, session, msgspec.structs.replace(request, asset="token"), key=key)
    async with services.db.read() as tx:
        row = await tx.fetch_one(ONE, account=account, id=generation.id)
        left = await tx.fetch_one(ALLOWANCE, account=account)
    return StartedConversion(conversion=to_response(services, row), remaining=left.remaining, resets_at=left.resets_at)


def to_response(services: Services, row: ConversionRow) -> Conversion:
    """Return the API's representation of a row, with the addresses of its files."""
    bought = PaidWith.TOKENS if row.charge_asset == "token" else PaidWith.PLAN
    return Conversion(
        id=row.id,
        conversion_type=row.conversion_type,
        paid_with=PaidWith.FREE if row.conversion_type == ConversionType.FREE else bought,
        cost=row.cost,
        status=row.status,
        style_name=row.style_name,
        input=_ref(services, row, row.input),
        output=_ref(services, row, row.output),
        error_message=row.error_message,
        processing_time_ms=row.processing_time_ms,
        file_size_bytes=row.file_size_bytes,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def _ref(services: Services, row: ConversionRow, facts: dict[str, Any] | None) -> FileRef | None:
    """Return the addresses of a file that was not deleted."""
    return ref(services, row.account_id, msgspec.convert(facts, FileFacts)) if facts else None
