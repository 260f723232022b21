"""Subscriptions, discounts and invoices with chosen prices, for worked cases of recurring revenue.

The shapes are those of Stripe's API: an event has ids of discounts, an event about a discount has the id of its coupon.
"""

from __future__ import annotations

from typing import Any

from tests.reports.helpers import at, column, event, rows, subscription
from vetrina.core.database.connection import Database
from vetrina.stripe_mirror.consistency import sample_data as sample

SUB = "sub_sample0000000001"
ITEM = "si_sample0000000001_0"
DAY = "2026-01-10"
TIERS = [
    {"up_to": 10, "unit_amount": 500, "unit_amount_decimal": "500", "flat_amount": None, "flat_amount_decimal": None},
    {"up_to": 20, "unit_amount": 400, "unit_amount_decimal": "400", "flat_amount": 100, "flat_amount_decimal": "100"},
    {"up_to": None, "unit_amount": 300, "unit_amount_decimal": "300", "flat_amount": None, "flat_amount_decimal": None},
]


def priced(amount: int = 1000, *, quantity: int = 1, number: int = 1, sub: dict[str, Any] | None = None, **price: Any) -> dict:
    """Return a subscription whose item has this price; `sub` are fields of the subscription."""
    result = subscription(number, DAY, amount, **(sub or {}))
    item = result["items"]["data"][0]
    item["quantity"] = quantity
    item["price"] |= price
    return result


def metered(**price: Any) -> dict:
    """Return a subscription to metered use."""
    result = priced(7, **price)
    result["items"]["data"][0]["price"]["recurring"] |= {"usage_type": "metered", "meter": "mtr_1"}
    del result["items"]["data"][0]["quantity"]
    return result


def coupon(name: str, duration: str = "forever", **fields: Any) -> dict:
    """Return the event of a coupon's creation."""
    return event("coupon.created", {
        "id": name, "object": "coupon", "created": at(DAY), "duration": duration, "percent_off": None, "amount_off": None,
        "currency": None, "duration_in_months": None, "livemode": False, "metadata": {}, "name": name, "valid": True, **fields,
    }, "2026-01-01")  # fmt: skip


def discount(name: str, coupon: str | dict, *, end: str | None = None, **fields: Any) -> dict:
    """Return a discount of subscription 1."""
    return {"id": name, "object": "discount", "source": {"type": "coupon", "coupon": coupon}, "customer": "cus_sample0000000001",
            "start": at(DAY), "end": at(end) if end else None, "subscription": SUB, "subscription_item": None,
            "invoice": None, "invoice_item": None, "promotion_code": None, **fields}  # fmt: skip


def given(name: str, coupon: str, *, end: str | None = None, **fields: Any) -> dict:
    """Return the event of a discount."""
    return event("customer.discount.created", discount(name, coupon, end=end, **fields), DAY)


def on_item(data: dict, *discounts: Any) -> dict:
    """Return the subscription with discounts of its first item."""
    first, *others = data["items"]["data"]
    return {**data, "items": {**data["items"], "data": [{**first, "discounts": list(discounts)}, *others]}}


def line(amount: int, item: str = ITEM, *, proration: bool = False) -> dict:
    """Return an invoice line of a subscription item."""
    return {"id": f"il_{item}_{amount}", "object": "line_item", "amount": amount, "currency": "eur",
            "parent": {"type": "subscription_item_details", "invoice_item_details": None, "subscription_item_details": {
                "subscription": SUB, "subscription_item": item, "proration": proration, "invoice_item": None}}}  # fmt: skip


def billed(number: int, day: str, *lines: dict, voided: str | None = None, name: str = "invoice.finalized") -> dict:
    """Return the event of an invoice of subscription 1 that was finalized on `day`."""
    data = sample.invoice(1, at(day), amount=sum(item["amount"] for item in lines))
    data |= {"id": f"in_{number}", "lines": {**data["lines"], "data": list(lines)}}
    data["status_transitions"] |= {"finalized_at": at(day), "voided_at": at(voided) if voided else None}
    return event(name, data, voided or day)


async def closing(db: Database, day: str = "2026-01-31", name: str = "closing", currency: str = "eur") -> int:
    """Return a figure of recurring revenue at the end of a day."""
    return next(iter(column(await rows(db, "mrr", day, 1), name, currency=currency)), 0)
