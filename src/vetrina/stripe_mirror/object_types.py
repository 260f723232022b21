"""The mirrored kinds and their API paths. Their tables are created in migrations by `stripe_mirror.mirror`."""

from __future__ import annotations

import msgspec

from vetrina.core.errors import Invalid


class Kind(msgspec.Struct, frozen=True):
    """A kind of object: the value of its `object` field, its API path, and the query that lists all of them."""

    object: str
    path: str
    query: dict[str, str] = {}


KINDS: dict[str, Kind] = {
    "products": Kind("product", "/v1/products"),
    "prices": Kind("price", "/v1/prices"),
    "coupons": Kind("coupon", "/v1/coupons"),
    "customers": Kind("customer", "/v1/customers"),
    # Including canceled ones. Discounts are expanded, because they have no list and cannot be fetched by id.
    "subscriptions": Kind(
        "subscription",
        "/v1/subscriptions",
        {"status": "all", "expand[0]": "data.discounts", "expand[1]": "data.items.data.discounts"},
    ),
    "invoices": Kind("invoice", "/v1/invoices"),
    "payment_intents": Kind("payment_intent", "/v1/payment_intents"),
    "charges": Kind("charge", "/v1/charges"),
    "refunds": Kind("refund", "/v1/refunds"),
    "disputes": Kind("dispute", "/v1/disputes"),
}
"""Kinds by table name."""

EVENTS = "events"
"""The name under which runs over the list of events are recorded."""


def kinds_named(names: list[str]) -> list[str]:
    """Return these kinds, or all if there are none. Raises Invalid (422) for an unknown kind."""
    for name in names:
        if name not in KINDS:
            raise Invalid(f"{name} is not mirrored. Kinds: {', '.join(KINDS)}.")
    return names or list(KINDS)
