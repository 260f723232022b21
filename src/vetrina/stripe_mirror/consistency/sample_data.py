"""Sample objects and events of realistic size in Stripe's shapes, from a seed.

`vetrina stripe fuzz`, the demo and the benchmarks use them.

Field names are those of Stripe's API reference. `shape` is an API version: the billing period of a subscription and
the subscription of an invoice moved with 2025-03-31.
"""

from __future__ import annotations

import random
from typing import Any

BEFORE, AFTER = "2024-06-20", "2025-03-31.basil"
DAY = 86400
_TYPES = ("Adult", "Family", "Student", "Senior", "Junior")
_PLANS = (("Basic", 900), ("Plus", 1900), ("Premium", 4900), ("Studio", 9900))


def customer(number: int, at: int, *, rng: random.Random | None = None, prefix: str = "cus_sample") -> dict[str, Any]:
    """Return a customer created at `at` (seconds). Some have no e-mail address, some share one."""
    rng = rng or random.Random(number)
    shared = f"family{number // 2}@example.com" if number % 17 == 0 else f"member{number}@example.com"
    return {
        "id": f"{prefix}{number:010d}", "object": "customer", "created": at, "livemode": False,
        "email": shared if number % 29 else None, "name": f"Member {number}" if number % 13 else None,
        "phone": f"+4479{number % 10**8:08d}" if number % 3 else None,
        "address": {"city": "Ghent", "country": "BE", "line1": f"Kouter {number % 400}", "line2": None,
                    "postal_code": "9000", "state": None} if number % 5 else None,
        "balance": 0, "currency": "eur", "default_source": None, "delinquent": False, "description": None, "discount": None,
        "invoice_prefix": f"{number:08X}", "next_invoice_sequence": 1, "preferred_locales": ["en"], "shipping": None,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None},
        "tax_exempt": "none", "test_clock": None,
        "metadata": {"membership_type": _TYPES[number % len(_TYPES)], "member_number": str(number),
                     "joined": str(2015 + number % 11), "branch": f"branch-{rng.randrange(40)}"},
    }  # fmt: skip


def product(number: int, at: int) -> dict[str, Any]:
    """Return one of the four products."""
    title, _ = _PLANS[number % len(_PLANS)]
    return {"id": f"prod_sample{number}", "object": "product", "created": at, "livemode": False, "active": True, "name": title,
            "description": f"{title} membership", "default_price": f"price_sample{number}", "images": [], "features": [],
            "metadata": {"tier": title.lower()}, "package_dimensions": None, "shippable": None, "type": "service",
            "unit_label": None, "updated": at, "url": None}  # fmt: skip


def price(number: int, at: int) -> dict[str, Any]:
    """Return a product's price, monthly or, for the last product, yearly."""
    amount = _PLANS[number % len(_PLANS)][1]
    yearly = number % len(_PLANS) == 3
    return {"id": f"price_sample{number}", "object": "price", "created": at, "livemode": False, "active": True,
            "billing_scheme": "per_unit", "currency": "eur", "custom_unit_amount": None, "lookup_key": None, "metadata": {},
            "nickname": None, "product": f"prod_sample{number}", "tax_behavior": "unspecified", "tiers_mode": None,
            "recurring": {"interval": "year" if yearly else "month", "interval_count": 1, "usage_type": "licensed",
                          "aggregate_usage": None, "trial_period_days": None, "meter": None},
            "transform_quantity": None, "type": "recurring", "unit_amount": amount,
            "unit_amount_decimal": str(amount)}  # fmt: skip


def subscription(
    number: int, at: int, *, shape: str = AFTER, status: str = "active", customer_id: str | None = None, items: int = 1,
    quantity: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """Return a subscription of customer `number`, about 3 kB."""
    period = {"current_period_start": at, "current_period_end": at + 30 * DAY}
    subscription_id = f"sub_sample{number:010d}"
    lines: list[dict[str, Any]] = [
        {"id": f"si_sample{number:010d}_{item}", "object": "subscription_item", "created": at, "discounts": [], "metadata": {},
         "plan": {"id": f"price_sample{(number + item) % 4}", "object": "plan", "active": True, "currency": "eur",
                  "amount": _PLANS[(number + item) % 4][1], "interval": "month", "interval_count": 1,
                  "product": f"prod_sample{(number + item) % 4}", "usage_type": "licensed"},
         "price": price((number + item) % 4, at), "quantity": quantity, "subscription": subscription_id, "tax_rates": [],
         **(period if shape >= AFTER else {})}
        for item in range(items)
    ]  # fmt: skip
    ended = at + 20 * DAY if status == "canceled" else None
    return {
        "id": subscription_id, "object": "subscription", "created": at, "livemode": False, "application": None,
        "application_fee_percent": None, "automatic_tax": {"enabled": False, "liability": None, "disabled_reason": None},
        "billing_cycle_anchor": at, "billing_thresholds": None, "cancel_at": None, "cancel_at_period_end": number % 11 == 0,
        "canceled_at": ended, "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically", "currency": "eur",
        "customer": customer_id or f"cus_sample{number:010d}", "days_until_due": None, "default_payment_method": None,
        "default_source": None, "default_tax_rates": [], "description": None, "discounts": [], "ended_at": ended,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {"object": "list", "data": lines, "has_more": False, "total_count": items,
                  "url": f"/v1/subscription_items?subscription={subscription_id}"},
        "latest_invoice": f"in_sample{number:010d}", "next_pending_invoice_item_invoice": None, "on_behalf_of": None,
        "pause_collection": None, "payment_settings": {"payment_method_options": None, "payment_method_types": None,
                                                       "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None, "pending_setup_intent": None, "pending_update": None, "schedule": None,
        "start_date": at, "status": status, "test_clock": None, "transfer_data": None, "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}}, "trial_start": None,
        "metadata": {"subscription_type": _PLANS[number % 4][0], "source": "web" if number % 2 else "desk"},
        **(period if shape < AFTER else {}),
    }  # fmt: skip


def invoice(number: int, at: int, *, shape: str = AFTER, status: str = "paid", amount: int = 1900) -> dict[str, Any]:
    """Return an invoice of customer `number`'s subscription."""
    of = f"sub_sample{number:010d}"
    paid = amount if status == "paid" else 0
    link: dict[str, Any] = {"subscription": of} if shape < AFTER else {
        "parent": {"type": "subscription_details", "quote_details": None,
                   "subscription_details": {"metadata": {}, "subscription": of}}}  # fmt: skip
    return {
        "id": f"in_sample{number:010d}", "object": "invoice", "created": at, "livemode": False, "account_country": "BE",
        "amount_due": amount, "amount_paid": paid, "amount_remaining": amount - paid, "attempt_count": 1, "attempted": True,
        "auto_advance": False, "billing_reason": "subscription_cycle", "collection_method": "charge_automatically",
        "currency": "eur", "customer": f"cus_sample{number:010d}", "customer_email": f"member{number}@example.com",
        "due_date": None, "ending_balance": 0, "hosted_invoice_url": f"https://pay.example.com/{number}",
        "lines": {"object": "list", "data": [], "has_more": False, "total_count": 0,
                  "url": f"/v1/invoices/in_sample{number:010d}/lines"},
        "metadata": {}, "number": f"V-{number:06d}", "period_start": at - 30 * DAY, "period_end": at, "status": status,
        "status_transitions": {"finalized_at": at, "marked_uncollectible_at": None, "paid_at": at if paid else None,
                               "voided_at": None},
        "subtotal": amount, "total": amount, **link,
    }  # fmt: skip


def event(kind: str, data: dict[str, Any], at: int, number: int | str, *, shape: str = AFTER) -> dict[str, Any]:
    """Return an event of type `kind` about `data`, created at `at` (seconds)."""
    return {"id": f"evt_sample{number}", "object": "event", "api_version": shape, "created": at, "type": kind,
            "data": {"object": data}, "livemode": False, "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None}}  # fmt: skip


def history(seed: int, count: int = 60, *, prefix: str = "fuzz") -> list[dict[str, Any]]:
    """Return `count` events in chronological order: creations, updates, several in one second, deletions, unknown types."""
    rng = random.Random(seed)
    at = 1_750_000_000
    events: list[dict[str, Any]] = []
    alive: dict[str, tuple[str, dict[str, Any]]] = {}
    while len(events) < count:
        number = len(events)
        at += rng.choice((0, 0, 1, 40, DAY))
        shape = rng.choice((BEFORE, AFTER))
        if len(alive) < 4 or rng.random() < 0.15:
            choice: tuple[tuple[str, dict[str, Any]], ...] = (
                ("customer", customer(number, at)),
                ("customer.subscription", subscription(number, at, shape=shape, items=rng.choice((1, 2, 3)))),
                ("invoice", invoice(number, at, shape=shape)),
                ("product", product(number, at)),
                ("gift_card", {"id": f"gift{number}", "object": "gift_card", "metadata": {}}),
            )  # fmt: skip
            kind, data = rng.choice(choice)
            data["id"] = f"{prefix}_{data['id']}"
            alive[data["id"]] = (kind, data)
            verb = "created"
        else:
            key = rng.choice(sorted(alive))
            kind, data = alive[key]
            data = {**data, "metadata": {f"key{rng.randrange(3)}": str(number)}}
            if kind == "customer.subscription" and len(data["items"]["data"]) > 1 and rng.random() < 0.5:
                data["items"] = {**data["items"], "data": data["items"]["data"][1:]}
            alive[key] = (kind, data)
            verb = "deleted" if kind in {"customer", "product"} and rng.random() < 0.15 else "updated"
            if verb == "deleted":
                del alive[key]
        events.append(event(f"{kind}.{verb}", data, at, f"{prefix}{seed}_{number}", shape=shape))
    return events
