"""Batch actions: quote, start, load, cancel.

A batch is started as a whole: if the balance covers only some of its generations, none is started and the refusal says how
many the balance covers. After that each generation is its own, with its own charge, progress and refund.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Refusal, for_code
from vetrina.core.services import Services
from vetrina.studio import queries
from vetrina.studio.generations import actions as generations
from vetrina.studio.generations.actions import GenerationRequest, StartItem, StartResult
from vetrina.studio.model import (
    BATCH_LIMIT,
    ENDED,
    SEED_LIMIT,
    BatchKind,
    BatchRow,
    Generation,
    GenerationRow,
    InvalidBatch,
    PriceChanged,
    TooManyWaiting,
    UnknownStyle,
)
from vetrina.studio.styles.catalogue import Catalogue
from vetrina.wallet import queries as wallet
from vetrina.wallet.model import InsufficientCredits


class BatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for a batch.

    `kind` is what differs. "pictures": one generation for each of `product_files` (for each of `model_files` without any), all
    else the same. "styles": one in each of `styles`, in every style that the images fit if the list is empty; `parameters` are
    those of `style_name`, other styles use their defaults. "seeds": `count` generations from `seed` on. `total` is the price
    that was shown: the batch is refused (409) if it has another one now.
    """

    kind: BatchKind
    style_name: str = ""
    styles: list[str] = []
    count: int = 4
    prompt: str = ""
    product_files: list[UUID] = []
    model_files: list[UUID] = []
    parameters: dict[str, Any] = {}
    seed: int | None = None
    asset: Literal["token", "conversion"] = "token"
    total: int | None = None


class BatchQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch would cost, in credits of `asset`.

    `affordable` is the number of its generations that the balance covers; `balance_after` is null if that is not all of them.
    """

    count: int
    asset: str
    total: int
    balance: int
    balance_after: int | None
    affordable: int


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with its generations in order. `total` is their price in credits of `asset`, `refunded` what came back of it."""

    id: UUID
    kind: BatchKind
    asset: str
    total: int
    refunded: int
    items: list[Generation]
    created_at: datetime


class BatchResult(msgspec.Struct):
    """The outcome of `studio.start_batch`."""

    refused: str | None = None
    asset: str = ""
    position: int = 0
    affordable: int = 0
    total: int | None = None
    balance: int = 0
    id: UUID | None = None
    items: list[StartResult] = []
    created_at: datetime | None = None


def expand(services: Services, request: BatchRequest) -> list[GenerationRequest]:
    """Return the batch's generations in order; without a seed in the request they share a random one.

    Raises InvalidBatch, UnknownStyle (422).
    """
    first = request.seed if request.seed is not None else secrets.randbelow(2**31)
    request = msgspec.structs.replace(request, seed=first)
    if request.kind == BatchKind.STYLES:
        wishes = [
            _wish(request, style_name=name, parameters=request.parameters if name == request.style_name else {})
            for name in _styles(services, request)
        ]
    elif request.kind == BatchKind.PICTURES:
        files, field = (request.product_files, "product_files") if request.product_files else (request.model_files, "model_files")
        wishes = [_wish(request, **{field: [file]}) for file in files[: BATCH_LIMIT + 1]]
    else:
        count = min(request.count, BATCH_LIMIT + 1)
        wishes = [_wish(request, seed=(first + n) % SEED_LIMIT if 0 <= first < SEED_LIMIT else first) for n in range(count)]
    if not 1 <= len(wishes) <= BATCH_LIMIT:
        raise InvalidBatch
    return wishes


async def quote(services: Services, tx: Tx, account: AccountId, request: BatchRequest) -> BatchQuote:
    """Return the batch's price beside the balance. Raises what `start` raises for an invalid request."""
    wishes = expand(services, request)
    for wish in wishes:
        generations.check(services, wish)
    costs = [_cost(services, wish) for wish in wishes]
    balances = {row.asset: row.balance for row in await tx.fetch_all(wallet.BALANCES, account=account)}
    balance, left, affordable = balances.get(request.asset, 0), balances.get(request.asset, 0), 0
    for cost in costs:
        if cost <= left:
            affordable, left = affordable + 1, left - cost
    total = sum(costs)
    return BatchQuote(
        count=len(wishes),
        asset=request.asset,
        total=total,
        balance=balance,
        balance_after=balance - total if total <= balance else None,
        affordable=affordable,
    )


async def start(services: Services, account: AccountId, session: UUID, request: BatchRequest, *, key: str | None = None) -> Batch:
    """Start every generation of the batch, or none, in one statement.

    A replay with the same `key` and request returns the first answer. Raises InvalidBatch, PriceChanged (409),
    InsufficientCredits (402, with `affordable`), TooManyWaiting (429, with `affordable`), and what starting one raises.
    """
    wishes = expand(services, request)
    items = [generations.to_item(services, account, session, wish) for wish in wishes]
    total = sum(_cost(services, wish) for wish in wishes)
    if request.total is not None and request.total != total:
        raise PriceChanged(
            "This costs {total} now, not {before}. Look at the price again.",
            values={"total": total, "before": request.total},
            total=total,
        )
    batch = {
        "account_id": account,
        "id": new_id(),
        "kind": request.kind,
        "key": key,
        "request_hash": hashlib.sha256(msgspec.json.encode(request, order="deterministic")).hexdigest(),
        "items": items,
    }
    async with services.db.read() as tx:
        row = await tx.fetch_one(queries.START_BATCH, batch=msgspec.json.encode(batch).decode())
    result = msgspec.json.decode(row, type=BatchResult)
    if result.refused:
        raise _refusal(result, len(items), total)
    return _started(services, account, request, items, result)


async def load(services: Services, tx: Tx, account: AccountId, batch: UUID) -> Batch:
    """Return a batch. Raises NotFound."""
    row, rows = await rows_of(tx, account, batch)
    return Batch(
        id=row.id,
        kind=BatchKind(row.kind),
        asset=rows[0].charge_asset if rows else "token",
        total=sum(item.cost for item in rows),
        refunded=refunded(rows),
        items=[generations.to_response(services, item) for item in rows],
        created_at=row.created_at,
    )


async def rows_of(tx: Tx, account: AccountId, batch: UUID) -> tuple[BatchRow, list[GenerationRow]]:
    """Return a batch's row and its generations' rows in order. Raises NotFound."""
    row = await tx.fetch_one(queries.BATCH, account=account, id=batch)
    return row, await tx.fetch_all(queries.BATCH_ITEMS, account=account, id=batch)


def refunded(rows: list[GenerationRow]) -> int:
    """Return the credits that came back from generations that failed or were cancelled."""
    return sum(row.cost for row in rows if row.status in ENDED and row.status != "completed")


async def cancel(tx: Tx, account: AccountId, batch: UUID) -> int:
    """Cancel the generations that have not ended and return their credits. Returns how many were cancelled. Raises NotFound."""
    await tx.fetch_one(queries.BATCH, account=account, id=batch)
    return await tx.fetch_one(queries.CANCEL_BATCH, account=account, id=batch)


def _styles(services: Services, request: BatchRequest) -> list[str]:
    styles = services.get(Catalogue).styles
    if request.styles:
        if any(name not in styles for name in request.styles):
            raise UnknownStyle
        return list(dict.fromkeys(request.styles))
    products, models = bool(request.product_files), bool(request.model_files)
    return [
        style.name
        for style in styles.values()
        if (products or not style.needs_product)
        and (models or not style.needs_model)
        and (products or models or not style.needs_picture)
    ]


def _wish(request: BatchRequest, **changes: Any) -> GenerationRequest:
    fields = {name: getattr(request, name) for name in GenerationRequest.__struct_fields__}
    return GenerationRequest(**{**fields, **changes})


def _cost(services: Services, wish: GenerationRequest) -> int:
    catalogue = services.get(Catalogue)
    style = catalogue.styles.get(wish.style_name)
    if style is None:
        raise UnknownStyle
    return 1 if wish.asset == "conversion" else catalogue.cost(style)


def _refusal(result: BatchResult, count: int, total: int) -> Refusal:
    details: dict[str, Any] = {"affordable": result.affordable, "count": count, "position": result.position}
    if result.refused == "insufficient-credits":
        values: dict[str, object] = {"count": count, "total": total, "balance": result.balance, "n": result.affordable}
        return InsufficientCredits(
            "These {count} pictures cost {total}, and you have {balance}: enough for {n}. None was started.",
            values=values,
            asset=result.asset,
            cost=total,
            balance=result.balance,
            **details,
        )
    if result.refused == "too-many-waiting":
        return TooManyWaiting(
            "{n} of these {count} pictures fit in your queue at the moment. None was started.",
            values={"n": result.affordable, "count": count},
            **details,
        )
    return for_code(result.refused or "")


def _started(services: Services, account: AccountId, request: BatchRequest, items: list[StartItem], result: BatchResult) -> Batch:
    assert result.id is not None and result.created_at is not None
    return Batch(
        id=result.id,
        kind=request.kind,
        asset=request.asset,
        total=sum(answer.cost for answer in result.items),
        refunded=0,
        items=[
            generations.started_response(services, account, item, answer, result.id)
            for item, answer in zip(items, result.items, strict=True)
        ],
        created_at=result.created_at,
    )
