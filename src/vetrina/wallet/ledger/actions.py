"""The rules of the wallet: give, hold, capture, release; the books."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.module import LedgerSubject
from vetrina.wallet import queries
from vetrina.wallet.model import Asset, Entry, Fault, GrantSource, InsufficientCredits, Kind, WalletFrozen


async def give(
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
    """Add `quantity` of `asset`; the grant's id. The same key again gives nothing more."""
    return await tx.one(
        queries.GIVE,
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
    found = await tx.maybe(queries.HOLD, account=account, asset=asset.value, quantity=quantity, key=key)
    if found is None:
        if await tx.maybe(queries.FROZEN, account=account, asset=asset.value):
            raise WalletFrozen
        raise InsufficientCredits(asset=asset.value, cost=quantity)
    return found


async def capture(tx: Tx, account: AccountId, hold_id: UUID) -> bool:
    """Spend what is held. False if the hold had ended before."""
    return await tx.one(queries.CAPTURE, account=account, hold=hold_id)


async def release(tx: Tx, account: AccountId, hold_id: UUID, *, reason: str) -> bool:
    """Give back what is held. False if the hold had ended before."""
    return await tx.one(queries.RELEASE, account=account, hold=hold_id, reason=reason)


async def entries(
    tx: Tx,
    account: AccountId,
    subjects: tuple[LedgerSubject, ...],
    *,
    asset: Asset | None,
    kind: Kind | None,
    before: UUID,
    limit: int,
) -> list[Entry]:
    """Return up to `limit` lines of the ledger made before the entry `before`, the newest first.

    `subjects` are what modules spend credits on; they name it.
    """
    assets = [each.value for each in ([asset] if asset else Asset)]
    kinds = [each.value for each in ([kind] if kind else Kind)]
    return await tx.all(
        queries.entries(subjects), account=account, assets=assets, kinds=kinds, before=before, limit=limit
    )


async def faults(tx: Tx, limit: int = 20) -> list[Fault]:
    """Where the books do not agree; the first wrong ledger row comes first. Empty when they are right."""
    return await tx.all(queries.FAULTS, limit=limit)


async def expire_due(tx: Tx) -> int:
    """Take expired grants out of up to 500 wallets; how many credits that were."""
    return await tx.one(queries.EXPIRE_DUE)
