"""Pack actions: list, add and change packs. An open checkout keeps its price."""

from __future__ import annotations

from typing import Annotated

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.errors import Invalid, NotFound
from vetrina.wallet.model import Asset, InvalidPack, InvalidPackCurrency, Pack, SoldPack
from vetrina.wallet.plans import queries
from vetrina.web.money import BadAmount, UnknownCurrency, check_currency, parse_amount


class NewPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new pack; `price` in minor units of `currency`. A price in another currency is a separate pack."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{2,40}$")]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    asset: Asset
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    price: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100


class PackChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to a pack; omitted fields stay. Asset and currency cannot be changed."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] | None = None
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    price: Annotated[int, msgspec.Meta(ge=1, le=10**12)] | None = None
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    is_active: bool | None = None


async def list_all(tx: Tx) -> list[SoldPack]:
    """Return every pack, including those not for sale."""
    return await tx.fetch_all(queries.ALL_PACKS)


async def add(tx: Tx, pack: NewPack) -> SoldPack:
    """Add a pack. Raises PackNameTaken (409), InvalidPackCurrency (422)."""
    try:
        check_currency(pack.currency)
    except UnknownCurrency as error:
        raise InvalidPackCurrency(str(error)) from None
    await tx.fetch_one(queries.ADD_PACK, **msgspec.to_builtins(pack))
    return await tx.fetch_one(queries.PACK_BY_NAME, name=pack.name)


def price_of(amount: str, currency: str) -> int:
    """Return the price for an amount as people write it: "4.99" USD is 499. Raises InvalidPack, InvalidPackCurrency (422)."""
    try:
        return parse_amount(amount, currency)
    except UnknownCurrency as error:
        raise InvalidPackCurrency(str(error)) from None
    except BadAmount as error:
        raise InvalidPack(str(error), field="amount") from None


async def price_of_pack(tx: Tx, name: str, amount: str) -> int:
    """Return `price_of` in a pack's own currency. Raises NotFound (404) besides."""
    pack: SoldPack | None = await tx.fetch_optional(queries.PACK_BY_NAME, name=name)
    if pack is None:
        raise NotFound(f"There is no pack {name}.")
    return price_of(amount, pack.currency)


async def change(tx: Tx, name: str, change_: PackChange) -> SoldPack:
    """Change a pack; open checkouts keep their price. Raises NotFound (404), Invalid (422)."""
    values = msgspec.to_builtins(change_)
    if all(value is None for value in values.values()):
        raise Invalid("Give at least one of title, quantity, price, position, is_active.")
    changed: Pack | None = await tx.fetch_optional(queries.CHANGE_PACK, name=name, **values)
    if changed is None:
        raise NotFound(f"There is no pack {name}.")
    return await tx.fetch_one(queries.PACK_BY_NAME, name=name)
