"""Plan editor actions: list, add, change, close and delete plans.

A change of price touches no period that runs or is paid: the next month that an account buys costs the new price. A
subscription at a gateway keeps the price that it was made with, since prices at Stripe never change; a new one is made for
the next subscription.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.paging import Page
from vetrina.core.errors import Invalid, NotFound
from vetrina.wallet.plan_editor import queries
from vetrina.wallet.plan_editor.model import (
    DEFAULT_PLANS,
    DefaultPlan,
    EditedPlan,
    InvalidPlanPrice,
    NewPlan,
    PlanChange,
    PlanInUse,
    PlanMember,
)
from vetrina.web.money import UnknownCurrency, check_currency


async def list_all(tx: Tx) -> list[EditedPlan]:
    """Return every plan, closed ones too, with the number of members."""
    return await tx.fetch_all(queries.ALL)


async def get_plan(tx: Tx, name: str) -> EditedPlan:
    """Return one plan. Raises NotFound (404)."""
    plan: EditedPlan | None = await tx.fetch_optional(queries.BY_NAME, name=name)
    if plan is None:
        raise NotFound
    return plan


async def members(tx: Tx, name: str, cursor: str | None, limit: int) -> Page[PlanMember]:
    """Return the accounts on a plan, the newest first. Raises NotFound (404)."""
    await get_plan(tx, name)
    return await paging.fetch(tx, queries.MEMBERS, cursor, limit, name=name)


async def add(tx: Tx, plan: NewPlan) -> EditedPlan:
    """Add a plan. Raises PlanNameTaken (409), InvalidPlanPrice (422)."""
    currency = _base_currency(plan.prices, None)
    values = msgspec.to_builtins(plan)
    prices = values.pop("prices")
    plan_id = await tx.fetch_one(queries.ADD, **values, price=prices[currency], currency=currency)
    await _set_prices(tx, plan_id, prices, currency)
    return await get_plan(tx, plan.name)


async def change(tx: Tx, name: str, change_: PlanChange) -> EditedPlan:
    """Change a plan; open checkouts, running and paid periods keep what they have.

    Raises NotFound (404), DefaultPlan (409), Invalid and InvalidPlanPrice (422).
    """
    values = msgspec.to_builtins(change_)
    if all(value is None for value in values.values()):
        raise Invalid("Give at least one field to change.")
    plan_id = await _locked(tx, name)
    prices = values.pop("prices")
    if name in DEFAULT_PLANS and (prices or change_.is_active is False):
        raise DefaultPlan
    currency = None
    if prices is not None and name not in DEFAULT_PLANS:
        currency = _base_currency(prices, await tx.fetch_one(queries.BASE_CURRENCY, name=name))
        await _set_prices(tx, plan_id, prices, currency)
    await tx.execute(
        queries.CHANGE, name=name, **values, price=prices[currency] if prices and currency else None, currency=currency
    )
    return await get_plan(tx, name)


async def delete(tx: Tx, name: str) -> None:
    """Delete a plan that no account is on, or was. Raises NotFound (404), DefaultPlan and PlanInUse (409)."""
    plan_id = await _locked(tx, name)
    if name in DEFAULT_PLANS:
        raise DefaultPlan
    if await tx.fetch_one(queries.IN_USE, plan=plan_id):
        raise PlanInUse
    await _set_prices(tx, plan_id, {}, "")
    await tx.execute(queries.DELETE, plan=plan_id)


async def _locked(tx: Tx, name: str) -> UUID:
    plan_id: UUID | None = await tx.fetch_optional(queries.LOCK, name=name)
    if plan_id is None:
        raise NotFound
    return plan_id


def _base_currency(prices: dict[str, int], current: str | None) -> str:
    """Return the currency of the price in the plan's own row: the current one if it stays, else the first.

    Raises InvalidPlanPrice (422) without a price, and for an unknown currency.
    """
    if not prices:
        raise InvalidPlanPrice("A plan has a price in at least one currency.")
    try:
        for currency in prices:
            check_currency(currency)
    except UnknownCurrency as error:
        raise InvalidPlanPrice(str(error)) from None
    return current if current in prices else next(iter(prices))


async def _set_prices(tx: Tx, plan_id: UUID, prices: dict[str, int], base: str) -> None:
    others = msgspec.json.encode({currency: price for currency, price in prices.items() if currency != base}).decode()
    await tx.execute(queries.DELETE_PRICES, plan=plan_id, prices=others)
    await tx.execute(queries.SET_PRICES, plan=plan_id, prices=others)
