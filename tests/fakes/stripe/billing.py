"""Subscriptions and their invoices: begun by Checkout, renewed when the world says so."""

from __future__ import annotations

from typing import Any

from tests.fakes.stripe.protocol import Asked, Wrong, metadata, new_id
from tests.fakes.stripe.refunds import After

MONTH = 30 * 86400


class Billing(After):
    """What is paid by the month."""

    url: str = ""

    def __init__(self) -> None:
        super().__init__()
        self.inside: dict[str, dict[str, Any]] = {}
        """What sessions are about, and what Stripe keeps of a subscription's card."""
        self.portals: dict[str, dict[str, Any]] = {}

    def intent(self, amount: int, currency: str, customer: str | None, marks: dict[str, str]) -> dict[str, Any]:
        """A new payment intent."""
        raise NotImplementedError

    def charge(self, intent: dict[str, Any], card: str) -> str | None:
        """Charge a card; the refusal's words, or None."""
        raise NotImplementedError

    def subscribe(self, customer: str | None, lines: list[tuple[str, int]], marks: dict[str, str], card: str) -> dict[str, Any]:
        """A subscription whose first invoice is paid."""
        made = self.add("subscriptions", "sub", customer=customer, status="active", cancel_at_period_end=False, cancel_at=None,
                        canceled_at=None, ended_at=None, start_date=self.now(), billing_cycle_anchor=self.now(),
                        collection_method="charge_automatically", latest_invoice=None, trial_end=None)  # fmt: skip
        made["metadata"] = dict(marks)
        items = [self._item(made["id"], price, quantity) for price, quantity in lines]
        made["items"] = {"object": "list", "data": items, "has_more": False, "total_count": len(items)}
        made["currency"] = items[0]["price"]["currency"]
        self.inside[made["id"]] = {"card": card}
        self.tell("customer.subscription.created", made)
        self._bill(made, "subscription_create", "4242424242424242")
        return made

    def renew(self, name: str, *, pays: bool = True) -> dict[str, Any]:
        """A period ends and the next one is billed; the invoice. When the card does not pay it is past due."""
        with self.lock:
            subscription = self.get("subscriptions", name)
            if subscription["status"] == "canceled":
                raise Wrong(400, "This subscription is canceled.")
            if subscription["cancel_at_period_end"]:
                self._end(subscription)
                return self.get("invoices", subscription["latest_invoice"])
            for item in subscription["items"]["data"]:
                item["current_period_start"] = item["current_period_end"]
                item["current_period_end"] += MONTH
            card = self.inside[name]["card"] if pays else "4000000000000341"
            return self._bill(subscription, "subscription_cycle", card)

    def retry(self, invoice: str, *, pays: bool = True) -> dict[str, Any]:
        """An unpaid invoice is tried again."""
        with self.lock:
            found = self.get("invoices", invoice)
            subscription = self.get("subscriptions", found["parent"]["subscription_details"]["subscription"])
            self._collect(subscription, found, "4242424242424242" if pays else "4000000000000341")
            return found

    def update_subscription(self, asked: Asked) -> dict[str, Any]:
        """POST /v1/subscriptions/{id}: cancel at period end or not, another price, metadata."""
        subscription = self.get("subscriptions", asked.path.split("/")[-1])
        params = asked.params
        if "cancel_at_period_end" in params:
            ends = params["cancel_at_period_end"] == "true"
            period = subscription["items"]["data"][0]["current_period_end"]
            subscription |= {
                "cancel_at_period_end": ends,
                "cancel_at": period if ends else None,
                "canceled_at": self.now() if ends else None,
            }
        for change in params.get("items") or []:
            item = next((each for each in subscription["items"]["data"] if each["id"] == change.get("id")), None)
            if item is None:
                raise Wrong(400, f"No such subscription item: {change.get('id')}", param="items")
            if "price" in change:
                item["price"] = self.get("prices", change["price"])
        subscription["metadata"] |= metadata(params)
        self.tell("customer.subscription.updated", subscription)
        return subscription

    def cancel_subscription(self, asked: Asked) -> dict[str, Any]:
        """DELETE /v1/subscriptions/{id}: at once."""
        return self._end(self.get("subscriptions", asked.path.split("/")[-1]))

    def _end(self, subscription: dict[str, Any]) -> dict[str, Any]:
        subscription |= {"status": "canceled", "canceled_at": subscription["canceled_at"] or self.now(), "ended_at": self.now()}
        self.tell("customer.subscription.deleted", subscription)
        return subscription

    def _item(self, subscription: str, price: str, quantity: int) -> dict[str, Any]:
        start = self.now()
        return {"id": new_id("si"), "object": "subscription_item", "created": start, "metadata": {}, "quantity": quantity,
                "price": self.get("prices", price), "subscription": subscription, "current_period_start": start,
                "current_period_end": start + MONTH}  # fmt: skip

    def _bill(self, subscription: dict[str, Any], why: str, card: str) -> dict[str, Any]:
        items = subscription["items"]["data"]
        total = sum(each["price"]["unit_amount"] * each["quantity"] for each in items)
        lines = [
            {"id": new_id("il"), "object": "line_item", "amount": each["price"]["unit_amount"] * each["quantity"],
             "currency": subscription["currency"], "quantity": each["quantity"],
             "period": {"start": each["current_period_start"], "end": each["current_period_end"]},
             "pricing": {"price_details": {"price": each["price"]["id"], "product": each["price"]["product"]}}}
            for each in items
        ]  # fmt: skip
        made = self.add(
            "invoices", "in", customer=subscription["customer"], currency=subscription["currency"], status="open", total=total,
            subtotal=total, amount_due=total, amount_paid=0, amount_remaining=total, attempt_count=0, attempted=False,
            billing_reason=why, number=f"F-{len(self.kinds['invoices']) + 1:05d}", collection_method="charge_automatically",
            period_start=items[0]["current_period_start"], period_end=items[0]["current_period_end"], due_date=None,
            hosted_invoice_url=None, lines={"object": "list", "data": lines, "has_more": False},
            parent={"type": "subscription_details", "quote_details": None,
                    "subscription_details": {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}},
            status_transitions={"finalized_at": self.now(), "paid_at": None, "voided_at": None, "marked_uncollectible_at": None},
        )  # fmt: skip
        subscription["latest_invoice"] = made["id"]
        self.tell("invoice.created", made)
        self.tell("invoice.finalized", made)
        self._collect(subscription, made, card)
        return made

    def _collect(self, subscription: dict[str, Any], invoice: dict[str, Any], card: str) -> None:
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
        intent = self.intent(invoice["amount_due"], invoice["currency"], invoice["customer"], {})
        refused = self.charge(intent, "4000000000009995" if card == "4000000000000341" else card)
        if refused:
            subscription["status"] = "past_due"
            self.tell("invoice.payment_failed", invoice)
        else:
            invoice |= {"status": "paid", "amount_paid": invoice["total"], "amount_remaining": 0}
            invoice["status_transitions"]["paid_at"] = self.now()
            subscription["status"] = "active"
            self.tell("invoice.paid", invoice)
            self.tell("invoice.payment_succeeded", invoice)
        self.tell("customer.subscription.updated", subscription)
