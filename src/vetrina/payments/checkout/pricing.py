"""Prices: what a pack or a month of a plan costs when the checkout opens."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Invalid
from vetrina.payments.gateways.registry import Gateway, Gateways
from vetrina.payments.model import UnknownPack
from vetrina.wallet import labels
from vetrina.wallet import queries as wallet
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import queries as queries_plans
from vetrina.wallet.plans.model import PlanIsFree, UnknownPlan
from vetrina.web import formatting as words

KINDS = {"contact": "contacts", "posting": "posting"}
"""The kind of payment by asset, where it is not "tokens"."""
RENEWING = {"stripe"}
"""Gateways that renew a plan themselves and credit the remaining value of the old plan on their own."""


class Purchase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A requested purchase: a pack or a month of a plan, and how to pay.

    The gateway defaults to the first that takes the currency; a plan's `currency` to the first of its prices that the
    gateway takes.
    """

    pack_id: UUID | None = None
    plan_id: UUID | None = None
    gateway: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A priced purchase; `credit` is the amount that a plan's price was reduced by."""

    kind: str
    name: str
    description: str
    amount: int
    currency: str
    pack: UUID | None = None
    plan: UUID | None = None
    asset: str | None = None
    quantity: int | None = None
    credit: int = 0
    credit_period: UUID | None = None


async def choose(
    tx: Tx, registry: Gateways, account: AccountId, purchase: Purchase, assets: frozenset[str]
) -> tuple[Quote, Gateway]:
    """Return the priced purchase and the gateway that takes its currency.

    `assets` are those that can be spent on this site.

    Raises UnknownPack, GatewayNotOffered, Invalid (422), NoGateway (503), and for a plan what `plans.offer` raises.
    """
    if purchase.plan_id is not None and purchase.pack_id is not None:
        raise Invalid("A payment is for a pack or for a plan, not for both.")
    if purchase.plan_id is not None:
        return await _plan(tx, registry, account, purchase.plan_id, purchase)
    if purchase.pack_id is None:
        raise UnknownPack("Name a pack or a plan.")
    pack = await tx.fetch_optional(wallet.PACK, id=purchase.pack_id, assets=sorted(assets))
    if pack is None:
        raise UnknownPack
    quote = Quote(
        kind=KINDS.get(pack.asset, "tokens"),
        name=pack.name,
        description=f"{pack.title}, {labels.amount(pack.asset, pack.quantity)}",
        amount=pack.price,
        currency=pack.currency,
        pack=pack.id,
        asset=pack.asset,
        quantity=pack.quantity,
    )
    return quote, registry.choose(purchase.gateway, pack.currency)


async def _plan(tx: Tx, registry: Gateways, account: AccountId, plan: UUID, purchase: Purchase) -> tuple[Quote, Gateway]:
    sold = next((row for row in await tx.fetch_all(queries_plans.OFFERED, account=account) if row.id == plan), None)
    if sold is None:
        raise UnknownPlan
    if not sold.prices:
        raise PlanIsFree
    gateway = _way(registry, purchase, [sold.currency, *sold.prices])
    currency = purchase.currency or next((item for item in [sold.currency, *sold.prices] if gateway.accepts(item)), sold.currency)
    offer = await plans.offer(tx, account, plan, currency)
    price = offer.price or 0
    credit = 0 if gateway.name in RENEWING else min(offer.credit, price - 1)
    less = f", less {words.money(credit, currency)} for what is left of your plan" if credit else ""
    quote = Quote(
        kind="plan",
        name=offer.name,
        description=f"{offer.title} plan, one month{less}",
        amount=price - credit,
        currency=currency,
        plan=plan,
        credit=credit,
        credit_period=offer.credit_period if credit else None,
    )
    return quote, gateway


def _way(registry: Gateways, purchase: Purchase, currencies: list[str]) -> Gateway:
    """Return the requested gateway, or the first that takes one of the currencies."""
    if purchase.currency is not None:
        return registry.choose(purchase.gateway, purchase.currency)
    taken = (currency for currency in currencies if any(way.accepts(currency) for way in _named(registry, purchase.gateway)))
    return registry.choose(purchase.gateway, next(taken, currencies[0]))


def _named(registry: Gateways, name: str | None) -> list[Gateway]:
    return [item for item in registry.offered() if name is None or item.name == name]
