"""Offers on the page of prices: a pack or a month of a plan, with what a picture costs by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from vetrina.wallet import labels
from vetrina.wallet.model import Asset, Pack
from vetrina.wallet.plans.model import Plan
from vetrina.web import i18n, money
from vetrina.web.i18n import say


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What is sold, for the template. Prices are in minor units of the page's currency.

    `picture` and `picture_most` are the price of a picture in the cheapest and in the dearest style, rounded up; `exact`
    whether that is without rounding.
    """

    title: str
    price: int
    contents: str
    href: str
    pictures: int = 0
    picture: int | None = None
    picture_most: int | None = None
    exact: bool = True
    uploads: int = 0


def currencies(packs: Sequence[Pack], plans: Sequence[Plan]) -> list[str]:
    """Return the currencies that anything is sold in, in the order of the price list."""
    return list(dict.fromkeys([*(pack.currency for pack in packs), *(code for plan in plans for code in plan.prices)]))


def of_pack(pack: Pack, costs: Sequence[int]) -> Offer:
    """Return the offer of a pack; `costs` are the prices of a picture in tokens, ascending."""
    href = f"/wallet/buy?currency={pack.currency}" + ("" if pack.asset == Asset.TOKEN else f"&what={pack.asset}")
    offer = Offer(title=say(pack.title), price=pack.price, contents=labels.amount(pack.asset, pack.quantity), href=href)
    if pack.asset == Asset.CONVERSION:
        costs = [1]
    elif pack.asset != Asset.TOKEN or not costs:
        return offer
    return msgspec.structs.replace(
        offer,
        pictures=pack.quantity // costs[0],
        picture=_share(pack.price * costs[0], pack.quantity),
        picture_most=_share(pack.price * costs[-1], pack.quantity),
        exact=all(pack.price * cost % pack.quantity == 0 for cost in (costs[0], costs[-1])),
    )


def of_plan(plan: Plan, currency: str) -> Offer | None:
    """Return the offer of a month of a plan; None where it is not sold in this currency."""
    if plan.prices and currency not in plan.prices:
        return None
    price, pictures = plan.prices.get(currency, 0), plan.monthly_conversions_limit
    contents = [labels.amount(Asset.CONVERSION, pictures)] if pictures else []
    contents += [labels.amount(Asset.TOKEN, plan.monthly_tokens)] if plan.monthly_tokens else []
    return Offer(
        title=say(plan.display_name),
        price=price,
        contents=say(", ").join([*contents, labels.amount(Asset.IMAGE_SLOT, plan.monthly_images_limit)]),
        href="/plan",
        pictures=pictures,
        picture=_share(price, pictures) if pictures else None,
        picture_most=_share(price, pictures) if pictures else None,
        exact=not pictures or price % pictures == 0,
        uploads=plan.monthly_images_limit,
    )


def picture_price(offer: Offer, currency: str) -> str:
    """Return what a picture costs: "$0.10", "about $0.30", "$0.10 to $0.80" or, in a plan without a price, "nothing"."""
    if offer.picture is None or offer.picture_most is None:
        return "–"
    if offer.price == 0:
        return say("nothing")
    least, most = money.format_amount(offer.picture, currency), money.format_amount(offer.picture_most, currency)
    text = least if least == most else say("{least} to {most}", least=least, most=most)
    return text if offer.exact else say("about {price}", price=text)


def structured(groups: Sequence[Sequence[Offer]], currency: str, address: str) -> dict[str, Any]:
    """Return the offers as schema.org Products in JSON-LD. Source: schema.org, "Product" and "Offer"."""
    return {
        "@context": "https://schema.org",
        "@graph": [
            {
                "@type": "Product",
                "name": f"Vetrina {offer.title}",
                "description": offer.contents,
                "inLanguage": i18n.current(),
                "offers": {
                    "@type": "Offer",
                    "price": money.plain_amount(offer.price, currency),
                    "priceCurrency": currency,
                    "availability": "https://schema.org/InStock",
                    "url": address,
                },
            }
            for group in groups
            for offer in group
        ],
    }


def _share(price: int, parts: int) -> int:
    """Return one part of a price in whole minor units, rounded up."""
    return -(-price // parts)
