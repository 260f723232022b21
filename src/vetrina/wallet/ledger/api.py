"""JSON routes of the wallet: balances and ledger entries."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get

from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.wallet import queries
from vetrina.wallet.ledger import actions
from vetrina.wallet.model import Asset, Balance, Entry, Kind


class Wallet(msgspec.Struct):
    """An account's balances by asset."""

    balances: list[Balance]


@get("/wallet", guards=[signed_in], tags=["wallet"])
async def wallet(request: Request) -> Wallet:
    """Return the account's balances."""
    async with request.read() as tx:
        return Wallet(await tx.fetch_all(queries.BALANCES, account=request.account.id))


@get("/wallet/entries", guards=[signed_in], tags=["wallet"])
async def entries(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    asset: Asset | None = None,
    kind: Kind | None = None,
) -> Page[Entry]:
    """Return ledger entries, newest first, with the running balance of each asset."""
    async with request.read() as tx:
        subjects = request.services.modules.ledger_subjects
        return await actions.entries(tx, request.account.id, subjects, cursor, limit, asset=asset, kind=kind)


ROUTES: list[Any] = [wallet, entries]
