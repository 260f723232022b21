"""Conversions: generations of one picture in one style, paid from the month's allowance first.

They are generations like any other (`studio.conversions` is a view of them); what is decided here is only what pays.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.database.ids import AccountId
from vetrina.core.errors import KeyReused, NotFound
from vetrina.core.services import Services
from vetrina.media.links import FileFacts, FileRef, ref
from vetrina.studio.generations import actions, queries
from vetrina.studio.generations.actions import GenerationRequest
from vetrina.studio.generations.model import (
    Conversion,
    ConversionRequest,
    ConversionRow,
    ConversionType,
    PaidWith,
    StartedConversion,
)
from vetrina.wallet.model import InsufficientCredits


async def start(
    services: Services, account: AccountId, session: UUID, wish: ConversionRequest, *, key: str | None = None
) -> StartedConversion:
    """Start a conversion, paid by the free plan's allowance, then the bought plan's, then tokens if `use_tokens` allows them.

    Raises NotFound for a file of another account, QuotaUsedUp (402) with the reset date, and what `actions.start` raises.
    """
    async with services.db.read() as tx:
        category = await tx.fetch_optional(queries.CATEGORY, account=account, file=wish.file_id)
    if category is None:
        raise NotFound
    of_model = category == "model_image"
    request = GenerationRequest(
        style_name=wish.style_name,
        product_files=[] if of_model else [wish.file_id],
        model_files=[wish.file_id] if of_model else [],
        parameters=wish.parameters,
        seed=wish.seed,
        asset="conversion",
    )
    try:
        generation = await actions.start(services, account, session, request, key=key)
    except (InsufficientCredits, KeyReused):
        # A repeated request that tokens paid for carries the same key with another payment.
        if not wish.use_tokens:
            raise
        generation = await actions.start(services, account, session, msgspec.structs.replace(request, asset="token"), key=key)
    async with services.db.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=account, id=generation.id)
        left = await tx.fetch_one(queries.ALLOWANCE, account=account)
    return StartedConversion(conversion=to_response(services, row), remaining=left.remaining, resets_at=left.resets_at)


def to_response(services: Services, row: ConversionRow) -> Conversion:
    """Return the API's representation of a row, with the addresses of its files."""
    bought = PaidWith.TOKENS if row.charge_asset == "token" else PaidWith.PLAN
    return Conversion(
        id=row.id,
        conversion_type=ConversionType(row.conversion_type),
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
