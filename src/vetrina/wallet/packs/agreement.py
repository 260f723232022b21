"""Whether prices in several currencies agree: each product costs the same by the stated rates, within a tolerance.

The rates are the setting `wallet.currency_rates`: units of each currency that cost the same, such as {"USD": 1, "IRR": 10000}.
Prices are compared with the one in the currency whose rate is 1.
They compare prices and convert nothing. Two packs are one product if they have the same asset and quantity; a plan is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.wallet import labels, queries
from vetrina.wallet.model import SoldPack
from vetrina.wallet.packs import actions as packs
from vetrina.wallet.plans import queries as plan_queries
from vetrina.wallet.plans.model import Plan
from vetrina.web import formatting, money

TOLERANCE = Decimal("0.10")
"""The largest share by which a price may differ: prices are rounded to look tidy."""


class Disagreement(msgspec.Struct, frozen=True):
    """A product whose price in `currency` does not fit its price in `base_currency`.

    `fitting` is the price that does, in minor units; null where no rate is stated.
    """

    product: str
    base_price: int
    base_currency: str
    price: int
    currency: str
    fitting: int | None

    @property
    def sentence(self) -> str:
        """Describe the disagreement."""
        base = formatting.money(self.base_price, self.base_currency)
        prices = f"{self.product}: {base} and {formatting.money(self.price, self.currency)}"
        if self.fitting is None:
            return f"{prices}, but no rate is stated for both (setting wallet.currency_rates)."
        return f"{prices}; by the stated rates the second would be {formatting.money(self.fitting, self.currency)}."


async def disagreements(tx: Tx) -> list[Disagreement]:
    """Return the products for sale whose prices do not agree."""
    rates = await tx.fetch_one(queries.RATES)
    sold = [pack for pack in await packs.list_all(tx) if pack.is_active]
    return compare(sold, await tx.fetch_all(plan_queries.PLANS), rates)


def compare(sold: Iterable[SoldPack], plans: Iterable[Plan], rates: Mapping[str, float]) -> list[Disagreement]:
    """Return the products whose prices do not agree by these rates."""
    products: dict[str, dict[str, int]] = {}
    for pack in sold:
        products.setdefault(labels.amount(pack.asset, pack.quantity), {}).setdefault(pack.currency, pack.price)
    for plan in plans:
        products[plan.display_name] = plan.prices
    result: list[Disagreement] = []
    for product, prices in products.items():
        currencies = sorted(prices, key=lambda currency: (rates.get(currency) != 1, currency))
        for currency in currencies[1:]:
            base = currencies[0]
            fitting = _converted(prices[base], base, currency, rates)
            if fitting is None or abs(prices[currency] - fitting) > TOLERANCE * fitting:
                result.append(Disagreement(product, prices[base], base, prices[currency], currency, fitting))
    return result


def _converted(minor: int, base: str, currency: str, rates: Mapping[str, float]) -> int | None:
    """Return an amount in another currency by the rates; null without a rate above 0 for both."""
    if not all(rates.get(name, 0) > 0 for name in (base, currency)):
        return None
    units = Decimal(minor).scaleb(-money.exponent(base)) / Decimal(str(rates[base])) * Decimal(str(rates[currency]))
    return round(units.scaleb(money.exponent(currency)))
