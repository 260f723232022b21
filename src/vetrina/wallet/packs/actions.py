"""The rules of packs: what is for sale, in which quantity and at which price. A checkout keeps the price that it began with."""

from __future__ import annotations

from typing import Annotated

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.errors import Invalid, NotFound
from vetrina.wallet.model import Asset, BadPackCurrency, Pack, SoldPack
from vetrina.wallet.plans import queries
from vetrina.web.money import UnknownCurrency, check_currency


class NewPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pack to be sold; `price` in minor units of `currency`. A price in another currency is a pack of its own."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{2,40}$")]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    asset: Asset
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    price: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100


class PackChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed of a pack; what is left out stays. Its asset and currency are what it is."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] | None = None
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    price: Annotated[int, msgspec.Meta(ge=1, le=10**12)] | None = None
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    is_active: bool | None = None


async def kept(tx: Tx) -> list[SoldPack]:
    """Every pack, also those that are not for sale."""
    return await tx.all(queries.PACKS_KEPT)


async def add(tx: Tx, pack: NewPack) -> SoldPack:
    """Sell one more. Raises PackNameTaken (409), BadPackCurrency (422)."""
    try:
        check_currency(pack.currency)
    except UnknownCurrency as error:
        raise BadPackCurrency(str(error)) from None
    await tx.one(queries.ADD_PACK, **msgspec.to_builtins(pack))
    return await tx.one(queries.PACK_BY_NAME, name=pack.name)


async def change(tx: Tx, name: str, wanted: PackChange) -> SoldPack:
    """Set what is given; checkouts that are open keep their price. Raises NotFound (404), Invalid (422)."""
    values = msgspec.to_builtins(wanted)
    if all(each is None for each in values.values()):
        raise Invalid("Say what shall be changed: title, quantity, price, position, or whether it is for sale.")
    changed: Pack | None = await tx.maybe(queries.CHANGE_PACK, name=name, **values)
    if changed is None:
        raise NotFound(f"There is no pack {name}.")
    return await tx.one(queries.PACK_BY_NAME, name=name)
