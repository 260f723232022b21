"""Ledger actions: grant, hold, capture, release, expire, verify."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.database.paging import Page
from vetrina.core.module import LedgerSubject
from vetrina.wallet import queries
from vetrina.wallet.model import Asset, Entry, Fault, GrantSource, InsufficientCredits, Kind, WalletFrozen


async def grant(
    tx: Tx,
    account: AccountId,
    asset: Asset,
    quantity: int,
    *,
    source: GrantSource,
    key: str,
    expires_at: datetime | None = None,
    note: str | None = None,
) -> UUID:
    """Grant `quantity` of `asset` and return the grant's id. A replay with the same key returns the first grant."""
    return await tx.fetch_one(
        queries.GRANT,
        account=account,
        asset=asset.value,
        quantity=quantity,
        source=source,
        key=key,
        expires_at=expires_at,
        note=note,
    )


async def hold(tx: Tx, account: AccountId, asset: Asset, quantity: int, *, key: str) -> UUID:
    """Set `quantity` of `asset` aside until it is captured or released, soonest-expiring first.

    Replays with the same key return the first hold. Raises InsufficientCredits (402), WalletFrozen (423).
    """
    row = await tx.fetch_optional(queries.HOLD, account=account, asset=asset.value, quantity=quantity, key=key)
    if row is None:
        if await tx.fetch_optional(queries.FROZEN, account=account, asset=asset.value):
            raise WalletFrozen
        raise InsufficientCredits(asset=asset.value, cost=quantity)
    return row


async def capture(tx: Tx, account: AccountId, hold_id: UUID) -> bool:
    """Spend a hold. Return False if it had already ended."""
    return await tx.fetch_one(queries.CAPTURE, account=account, hold=hold_id)


async def release(tx: Tx, account: AccountId, hold_id: UUID, *, reason: str) -> bool:
    """Return a hold's credits. Return False if it had already ended."""
    return await tx.fetch_one(queries.RELEASE, account=account, hold=hold_id, reason=reason)


async def entries(
    tx: Tx,
    account: AccountId,
    subjects: tuple[LedgerSubject, ...],
    cursor: str | None,
    limit: int,
    *,
    asset: Asset | None,
    kind: Kind | None,
) -> Page[Entry]:
    """Return up to `limit` lines of the ledger after `cursor`, the newest first.

    `subjects` are what modules spend credits on; they name it.
    """
    assets = [item.value for item in ([asset] if asset else Asset)]
    kinds = [item.value for item in ([kind] if kind else Kind)]
    return await paging.fetch(tx, queries.entries(subjects), cursor, limit, account=account, assets=assets, kinds=kinds)


async def faults(tx: Tx, limit: int = 20) -> list[Fault]:
    """Return the ledger's inconsistencies, the earliest wrong row first; empty when there are none."""
    return await tx.fetch_all(queries.FAULTS, limit=limit)


async def expire_due(tx: Tx) -> int:
    """Expire due grants of up to 500 wallets; return the number of credits expired."""
    return await tx.fetch_one(queries.EXPIRE_DUE)
