"""Each golden payload, delivered to the real route and applied by the real handlers: what the payment it names becomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.factories import Make
from tests.fakes.stripe import SECRET, StripeFake, signed
from tests.payments.helpers import one, scalar
from tests.payments.stripe_helpers import checkout, drain, session_of
from tests.server import Site
from vetrina.core.database.connection import Database

PAYLOADS = Path(__file__).parents[2] / "fakes" / "stripe" / "payloads"
PENDING, PAID = "pending", "completed"
EXPECTED: dict[str, tuple[str, str, int]] = {
    "charge.dispute.closed": (PAID, "refunded", 0),
    "charge.dispute.created": (PAID, "disputed", 0),
    "charge.dispute.funds_reinstated": (PAID, PAID, 50),
    "charge.dispute.funds_withdrawn": (PAID, "disputed", 0),
    "charge.dispute.updated": (PAID, "disputed", 0),
    "charge.failed": (PENDING, PENDING, 0),
    "charge.refund.updated": (PAID, PAID, 30),
    "charge.refunded": (PAID, PAID, 30),
    "charge.succeeded": (PENDING, PAID, 50),
    "charge.updated": (PENDING, PAID, 50),
    "checkout.session.async_payment_failed": (PENDING, "failed", 0),
    "checkout.session.async_payment_succeeded": (PENDING, PAID, 50),
    "checkout.session.completed": (PENDING, PAID, 50),
    "checkout.session.expired": (PENDING, "expired", 0),
    "customer.subscription.deleted": (PENDING, PENDING, 0),
    "customer.subscription.paused": (PENDING, PENDING, 0),
    "customer.subscription.updated": (PENDING, PENDING, 0),
    "invoice.paid": (PENDING, PENDING, 0),
    "invoice.payment_failed": (PENDING, PENDING, 0),
    "invoice.payment_succeeded": (PENDING, PENDING, 0),
    "payment_intent.payment_failed": (PENDING, PENDING, 0),
    "refund.created": (PAID, PAID, 30),
    "refund.failed": (PAID, PAID, 50),
    "refund.updated": (PAID, PAID, 30),
}
"""By type: the payment's state before, its state after, and the purchased tokens that it has left then."""


async def deliver(site: Site, type: str, names: dict[str, str]) -> None:
    """Deliver a payload with its placeholders filled in, and let the job apply it."""
    text = (PAYLOADS / f"{type}.json").read_text()
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    body = json.dumps(json.loads(text)).encode()
    headers = {"Stripe-Signature": signed(body, SECRET), "Content-Type": "application/json"}
    answer = await site.client.post("/webhooks/stripe", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    await drain(site.services)


@pytest.mark.parametrize("type", sorted(path.stem for path in PAYLOADS.glob("*.json")))
async def test_payload_is_received_and_applied(shop_site: Site, stripe: StripeFake, make: Make, db: Database, type: str) -> None:
    account = await make.account()
    before, after, tokens = EXPECTED[type]
    async with shop_site.api(account) as api:
        payment = await checkout(api, "tokens_50")
        names = {"account": str(account.id), "payment": payment["id"], "session": session_of(stripe, payment)["id"]}
        if before == PAID:
            await deliver(shop_site, "checkout.session.completed", names)
        assert (await one(api, payment))["status"] == before
        await deliver(shop_site, type, names)
        assert (await one(api, payment))["status"] == after
    left = "select coalesce(sum(remaining), 0)::int from wallet.grants where source = 'purchase' and account_id = %s"
    assert await scalar(db, left, account.id) == tokens
    outcomes = "select array_agg(distinct outcome order by outcome) from payments.webhook_events"
    assert set(await scalar(db, outcomes)) <= {"applied", "ignored"}
    stored = "select count(*)::int from stripe_mirror.events where type = %s"
    assert await scalar(db, stored, type) == 1


def test_every_payload_has_an_expected_end() -> None:
    assert EXPECTED.keys() == {path.stem for path in PAYLOADS.glob("*.json")}
