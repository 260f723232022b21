"""The period that a paid invoice of Stripe's gives, read from its lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple, cast


class Month(NamedTuple):
    """A period that an invoice pays for; `value` is its price in Stripe's units, after discounts."""

    starts_at: datetime
    ends_at: datetime
    value: int


def within(whole: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object that is part of another; an empty one when it is missing or null."""
    part = whole.get(name)
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def paid_month(invoice: dict[str, Any]) -> Month | None:
    """Return the latest period that an invoice's lines pay for, and its price; None if they pay for none.

    Prorations settle the difference of a change within a period that was paid before, so they give no period. What the card
    was charged does not count: the customer's balance at Stripe may have paid a part of it, or all.
    """
    lines = cast("list[dict[str, Any]]", within(invoice, "lines").get("data") or [])
    periods: dict[tuple[int, int], int] = {}
    for line in lines:
        period, amount = within(line, "period"), int(line.get("amount") or 0)
        span = (int(period.get("start") or 0), int(period.get("end") or 0))
        if span[0] >= span[1] or amount < 0 or not _is_period(line):
            continue
        taken_off = cast("list[dict[str, Any]]", line.get("discount_amounts") or [])
        discounts = sum(int(discount.get("amount") or 0) for discount in taken_off)
        periods[span] = periods.get(span, 0) + amount - discounts
    if not periods:
        return None
    span = max(periods, key=lambda candidate: candidate[1])
    return Month(datetime.fromtimestamp(span[0], UTC), datetime.fromtimestamp(span[1], UTC), max(0, periods[span]))


def _is_period(line: dict[str, Any]) -> bool:
    """Return whether a line is for a subscription's period, in the newer and the older shape."""
    parent = within(line, "parent")
    if parent:
        details = within(parent, "subscription_item_details")
        return parent.get("type") == "subscription_item_details" and not details.get("proration")
    return line.get("type") != "invoiceitem" and not line.get("proration")
