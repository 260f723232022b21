"""What is mirrored, as Stripe's API lists it. The tables are made in migrations/ by `stripe_mirror.mirror`."""

from __future__ import annotations

import msgspec

from vetrina.core.errors import Invalid


class Kind(msgspec.Struct, frozen=True):
    """A kind of object: the value of its `object`, where it is listed and retrieved, and what the list needs to be whole."""

    object: str
    path: str
    query: dict[str, str] = {}


KINDS: dict[str, Kind] = {
    "products": Kind("product", "/v1/products"),
    "prices": Kind("price", "/v1/prices"),
    "customers": Kind("customer", "/v1/customers"),
    "subscriptions": Kind("subscription", "/v1/subscriptions", {"status": "all"}),  # the canceled ones too
    "invoices": Kind("invoice", "/v1/invoices"),
    "payment_intents": Kind("payment_intent", "/v1/payment_intents"),
    "charges": Kind("charge", "/v1/charges"),
    "refunds": Kind("refund", "/v1/refunds"),
    "disputes": Kind("dispute", "/v1/disputes"),
}
"""By the name of the table."""

EVENTS = "events"
"""The name under which readings of the list of events are kept."""


def named(names: list[str]) -> list[str]:
    """These kinds, or all for none. Raises Invalid (422) for one that is not mirrored."""
    for name in names:
        if name not in KINDS:
            raise Invalid(f"{name} is not mirrored; these are: {', '.join(KINDS)}.")
    return names or list(KINDS)
