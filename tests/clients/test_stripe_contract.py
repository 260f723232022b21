"""The Stripe fake and the golden payloads against the annotated classes of the pinned SDK."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe as sdk

from tests.fakes.stripe import DISPUTED, FAILS_LATER, GOOD, SLOW, StripeFake
from tests.fakes.stripe.protocol import Call
from tests.fakes.stripe.store import NAMES, VERSION
from tests.fakes.stripe_contract import violations
from vetrina.clients.stripe import client
from vetrina.payments.plans import stripe_subscriptions
from vetrina.payments.webhooks import stripe_payments
from vetrina.payments.webhooks.actions import HANDLERS

assert stripe_payments and stripe_subscriptions, "declare the handlers"

PAYLOADS = Path(__file__).parent.parent / "fakes" / "stripe" / "payloads"
NOT_IMITATED = {"charge.updated", "customer.subscription.paused"}
"""Event types that are handled and that the fake does not send."""


def checkout(fake: StripeFake, mode: str, card: str = GOOD) -> dict[str, Any]:
    """A Checkout Session that was paid."""
    customer = fake.create_customer(Call("POST", "/v1/customers", {"email": "buyer@example.com"}))
    price = {"currency": "usd", "unit_amount": "499", "product_data": {"name": "Basic"}}
    price |= {"recurring": {"interval": "month"}} if mode == "subscription" else {}
    params = {"mode": mode, "customer": customer["id"], "line_items": [{"quantity": "1", "price_data": price}]}
    session = fake.create_session(Call("POST", "/v1/checkout/sessions", {**params, "success_url": "https://shop.example"}))
    fake.pay(session["id"], card)
    return session


def everything(fake: StripeFake) -> None:
    """Let every kind of object and event occur."""
    paid = checkout(fake, "payment")
    fake.refund_fails(fake.refund(paid["payment_intent"], 100)["id"])
    checkout(fake, "payment", "4000000000000002")
    checkout(fake, "payment", DISPUTED)
    for status in ("won", "lost"):
        fake.decide(fake.dispute(paid["payment_intent"])["id"], status)
    for comes in (True, False):
        fake.slow_money(checkout(fake, "payment", SLOW)["id"], comes=comes)
    unpaid = checkout(fake, "payment", "4000000000000002")
    fake.expire_session(Call("POST", f"/v1/checkout/sessions/{unpaid['id']}/expire", {}))
    for fake.billing_mode in ("classic", "flexible"):
        session = checkout(fake, "subscription")
        fake.renew(session["subscription"])
        fake.retry(fake.renew(session["subscription"], pays=False)["id"])
        dearer = {"currency": "usd", "unit_amount": "1499", "recurring": {"interval": "month"}, "product_data": {"name": "More"}}
        price = fake.create_price(Call("POST", "/v1/prices", dearer))
        item = fake.get("subscriptions", session["subscription"])["items"]["data"][0]
        change = {"items": [{"id": item["id"], "price": price["id"]}], "proration_behavior": "always_invoice"}
        fake.update_subscription(Call("POST", f"/v1/subscriptions/{session['subscription']}", change))
        fake.get("customers", session["customer"])["balance"] = -2000
        fake.renew(session["subscription"])
        fake.create_portal(Call("POST", "/v1/billing_portal/sessions", {"customer": session["customer"]}))
        fake.cancel_in_portal(session["subscription"])
        fake.renew(session["subscription"])
    paused = checkout(fake, "subscription", FAILS_LATER)["subscription"]
    pause = {"pause_collection": {"behavior": "void"}}
    fake.update_subscription(Call("POST", f"/v1/subscriptions/{paused}", pause))
    fake.renew(paused)
    fake.delete_customer(fake.get("subscriptions", paused)["customer"])


@pytest.fixture(scope="module")
def used() -> Iterator[StripeFake]:
    """A fake in which everything has occurred."""
    with StripeFake() as fake:
        everything(fake)
        yield fake


def test_the_pinned_api_version_is_the_sdk_s() -> None:
    assert sdk.api_version == client.VERSION == VERSION


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_objects_of_the_fake_conform_to_the_sdk(used: StripeFake, kind: str) -> None:
    objects = used.all(kind)
    assert objects, "nothing to compare"
    assert sorted({line for item in objects for line in violations(item)}) == []


def test_portal_sessions_conform_to_the_sdk(used: StripeFake) -> None:
    portals = [{**portal, "url": "https://billing.example"} for portal in used.portals.values()]
    assert [line for portal in portals for line in violations(portal)] == [] and portals


@pytest.mark.parametrize("type", sorted(HANDLERS))
def test_golden_payloads_conform_to_the_sdk(type: str) -> None:
    payload = json.loads((PAYLOADS / f"{type}.json").read_text())
    assert (payload["type"], payload["api_version"]) == (type, VERSION)
    assert violations(payload) == []


def test_every_golden_payload_has_a_handler() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == set(HANDLERS)


@pytest.mark.parametrize("type", sorted(HANDLERS))
def test_the_fake_sends_no_field_that_the_golden_payload_lacks(used: StripeFake, type: str) -> None:
    sent = [item for item in used.all("events") if item["type"] == type]
    assert bool(sent) == (type not in NOT_IMITATED)
    golden = json.loads((PAYLOADS / f"{type}.json").read_text())
    for event in sent:
        assert unknown(event, golden) == []


def unknown(sent: Any, golden: Any, path: str = "") -> list[str]:
    """Return the paths of fields that the golden value lacks; where one of both is null there is nothing to compare."""
    if isinstance(sent, list) and isinstance(golden, list) and golden:
        return [line for item in sent for line in unknown(item, golden[0], path)]
    if not isinstance(sent, dict) or not isinstance(golden, dict) or path.endswith(".metadata"):
        return []
    inner = [line for name in sent.keys() & golden.keys() for line in unknown(sent[name], golden[name], f"{path}.{name}")]
    return [f"{path}.{name}" for name in sent.keys() - golden.keys()] + inner


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"amount": "499"}, "charge.amount: int is expected, not '499'"),
        ({"paid": 1}, "charge.paid: bool is expected, not 1"),
        ({"invoice": None}, "charge.invoice: unknown to Charge"),
        ({"billing_details": None}, "charge.billing_details: Charge.BillingDetails is expected, not None"),
        ({"metadata": {"a": 1}}, "charge.metadata.a: str is expected, not 1"),
        ({"object": "card"}, "object 'card' is not covered by the contract"),
    ],
)
def test_a_planted_difference_is_reported(used: StripeFake, change: dict[str, Any], line: str) -> None:
    charge = copy.deepcopy(used.all("charges")[0]) | change
    assert violations(charge) == [line]


def test_a_missing_field_is_reported(used: StripeFake) -> None:
    subscription = copy.deepcopy(used.all("subscriptions")[0])
    del subscription["billing_mode"]
    subscription["items"]["data"][0].pop("current_period_end")
    assert violations(subscription) == [
        "subscription.billing_mode: missing",
        "subscription.items.data[0].current_period_end: missing",
    ]


@pytest.mark.parametrize("mode", ["classic", "flexible"])
def test_cancellation_at_the_period_s_end_in_both_billing_modes(mode: str) -> None:
    with StripeFake() as fake:
        fake.billing_mode = mode
        name = checkout(fake, "subscription")["subscription"]
        result = fake.cancel_in_portal(name)
        end = result["items"]["data"][0]["current_period_end"]
        assert (result["cancel_at"], result["cancel_at_period_end"]) == (end, mode == "classic")
        result = fake.update_subscription(Call("POST", f"/v1/subscriptions/{name}", {"cancel_at_period_end": "false"}))
        assert result["cancel_at"] == (None if mode == "classic" else end)
        result = fake.update_subscription(Call("POST", f"/v1/subscriptions/{name}", {"cancel_at": ""}))
        assert result["cancel_at"] is None
