"""Subscriptions and their invoices: started by Checkout, renewed on demand."""

from __future__ import annotations

from typing import Any

from tests.fakes.stripe import shapes
from tests.fakes.stripe.protocol import Call, Wrong, metadata, new_id, whole
from tests.fakes.stripe.refunds import After

MONTH = 30 * 86400


class Billing(After):
    """Subscription billing."""

    url: str = ""

    def __init__(self) -> None:
        super().__init__()
        self.inside: dict[str, dict[str, Any]] = {}
        """Contents of sessions, and details of a subscription's card."""
        self.billing_mode = "flexible"
        """For new subscriptions; `classic` is the older mode."""
        self.portals: dict[str, dict[str, Any]] = {}

    def intent(self, amount: int, currency: str, customer: str | None, marks: dict[str, str]) -> dict[str, Any]:
        """Create a payment intent."""
        raise NotImplementedError

    def charge(self, intent: dict[str, Any], card: str) -> str | None:
        """Charge a card; return the decline message, or None."""
        raise NotImplementedError

    def subscribe(self, customer: str | None, lines: list[tuple[str, int]], marks: dict[str, str], card: str) -> dict[str, Any]:
        """Create a subscription with a paid first invoice."""
        created = self.add("subscriptions", "sub", customer=customer, status="active", cancel_at_period_end=False, cancel_at=None,
                        canceled_at=None, ended_at=None, start_date=self.now(), billing_cycle_anchor=self.now(),
                        latest_invoice=None, billing_mode=shapes.billing_mode(self.billing_mode, self.now()),
                        **shapes.subscription())  # fmt: skip
        created["metadata"] = dict(marks)
        items = [self._item(created["id"], price, quantity) for price, quantity in lines]
        created["items"] = shapes.listed(items, f"/v1/subscription_items?subscription={created['id']}")
        created["items"]["total_count"] = len(items)
        created["currency"] = items[0]["price"]["currency"]
        self.inside[created["id"]] = {"card": card}
        self.tell("customer.subscription.created", created)
        self._bill(created, "subscription_create", "4242424242424242")
        return created

    def renew(self, name: str, *, pays: bool = True) -> dict[str, Any]:
        """End a period, bill the next one and return the invoice. If the card does not pay, it is past due."""
        with self.lock:
            subscription = self.get("subscriptions", name)
            if subscription["status"] == "canceled":
                raise Wrong(400, "This subscription is canceled.")
            if subscription["cancel_at"] and subscription["cancel_at"] <= subscription["items"]["data"][0]["current_period_end"]:
                self.end(subscription)
                return self.get("invoices", subscription["latest_invoice"])
            for item in subscription["items"]["data"]:
                item["current_period_start"] = item["current_period_end"]
                item["current_period_end"] += MONTH
            card = self.inside[name]["card"] if pays else "4000000000000341"
            return self._bill(subscription, "subscription_cycle", card)

    def retry(self, invoice: str, *, pays: bool = True) -> dict[str, Any]:
        """Retry an unpaid invoice."""
        with self.lock:
            response = self.get("invoices", invoice)
            subscription = self.get("subscriptions", response["parent"]["subscription_details"]["subscription"])
            self._collect(subscription, response, "4242424242424242" if pays else "4000000000000341")
            return response

    def update_subscription(self, call: Call) -> dict[str, Any]:
        """POST /v1/subscriptions/{id}: cancel at period end, change price, metadata."""
        subscription = self.get("subscriptions", call.path.split("/")[-1])
        params = call.params
        self._set_end(subscription, params)
        if "pause_collection" in params:
            paused = params["pause_collection"]
            subscription["pause_collection"] = {"behavior": paused["behavior"], "resumes_at": None} if paused else None
        for change in params.get("items") or []:
            item = next((entry for entry in subscription["items"]["data"] if entry["id"] == change.get("id")), None)
            if item is None:
                raise Wrong(400, f"No such subscription item: {change.get('id')}", param="items")
            if "price" in change:
                before, item["price"] = item["price"], self.get("prices", change["price"])
                item["plan"] = shapes.plan(item["price"])
                if params.get("proration_behavior", "create_prorations") == "always_invoice":
                    self._prorate(subscription, item, before)
        subscription["metadata"] |= metadata(params)
        self.tell("customer.subscription.updated", subscription)
        return subscription

    def cancel_subscription(self, call: Call) -> dict[str, Any]:
        """DELETE /v1/subscriptions/{id}: cancel at once."""
        return self.end(self.get("subscriptions", call.path.split("/")[-1]))

    def cancel_in_portal(self, name: str) -> dict[str, Any]:
        """Cancel at the period's end in the billing portal."""
        with self.lock:
            return self.update_subscription(Call("POST", f"/v1/subscriptions/{name}", {"cancel_at_period_end": "true"}))

    def end(self, subscription: dict[str, Any]) -> dict[str, Any]:
        subscription |= {"status": "canceled", "canceled_at": subscription["canceled_at"] or self.now(), "ended_at": self.now()}
        self.tell("customer.subscription.deleted", subscription)
        return subscription

    def _set_end(self, subscription: dict[str, Any], params: dict[str, Any]) -> None:
        """Apply `cancel_at_period_end` or `cancel_at`.

        Classic mode sets both fields; flexible mode sets the date alone, and only an empty `cancel_at` takes the date away.
        """
        if "cancel_at_period_end" in params and "cancel_at" in params:
            raise Wrong(400, "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at")
        classic = subscription["billing_mode"]["type"] == "classic"
        if "cancel_at" in params:
            date = whole(params, "cancel_at") if params["cancel_at"] else None
            at_end = False
        elif "cancel_at_period_end" in params:
            ends = params["cancel_at_period_end"] == "true"
            if not ends and not classic:
                return
            date = subscription["items"]["data"][0]["current_period_end"] if ends else None
            at_end = ends and classic
        else:
            return
        subscription |= {"cancel_at": date, "cancel_at_period_end": at_end, "canceled_at": self.now() if date else None}

    def _item(self, subscription: str, price: str, quantity: int) -> dict[str, Any]:
        start = self.now()
        response = self.get("prices", price)
        return {"id": new_id("si"), "object": "subscription_item", "created": start, "metadata": {}, "quantity": quantity,
                "price": response, "plan": shapes.plan(response), "discounts": [], "subscription": subscription,
                "current_period_start": start, "current_period_end": start + MONTH}  # fmt: skip

    def _bill(self, subscription: dict[str, Any], why: str, card: str) -> dict[str, Any]:
        items = subscription["items"]["data"]
        lines = [
            shapes.line(subscription["id"], item, new_id("il"), item["price"]["unit_amount"] * item["quantity"],
                        item["current_period_start"], item["current_period_end"])
            for item in items
        ]  # fmt: skip
        return self._invoice(subscription, lines, why, card)

    def _prorate(self, subscription: dict[str, Any], item: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """Invoice a price change at once: credit the rest of the period at the old price, charge it at the new one."""
        now, end = self.now(), item["current_period_end"]
        share = (end - now) / (end - item["current_period_start"])
        lines = [
            shapes.line(subscription["id"], {**item, "price": price}, new_id("il"), round(sign * price["unit_amount"] * share),
                        now, end, proration=True)
            for price, sign in ((before, -1), (item["price"], 1))
        ]  # fmt: skip
        return self._invoice(subscription, lines, "subscription_update", self.inside[subscription["id"]]["card"])

    def _invoice(self, subscription: dict[str, Any], lines: list[dict[str, Any]], why: str, card: str) -> dict[str, Any]:
        """Finalize an invoice and collect it: from the customer's balance first, the rest from the card."""
        total = sum(line["amount"] for line in lines)
        customer = self.get("customers", subscription["customer"]) if subscription["customer"] else {"balance": 0}
        before = customer["balance"]
        due = max(0, total + before)
        customer["balance"] = total + before - due
        items = subscription["items"]["data"]
        created = self.add(
            "invoices", "in", customer=subscription["customer"], currency=subscription["currency"], status="open", total=total,
            subtotal=total, amount_due=due, amount_paid=0, amount_remaining=due, attempt_count=0, attempted=False,
            billing_reason=why, number=f"F-{len(self.kinds['invoices']) + 1:05d}", collection_method="charge_automatically",
            period_start=items[0]["current_period_start"], period_end=items[0]["current_period_end"],
            starting_balance=before, ending_balance=customer["balance"],
            parent={"type": "subscription_details", "quote_details": None,
                    "subscription_details": {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}},
            status_transitions={"finalized_at": self.now(), "paid_at": None, "voided_at": None, "marked_uncollectible_at": None},
            **shapes.invoice(),
        )  # fmt: skip
        created["lines"] = shapes.listed(lines, f"/v1/invoices/{created['id']}/lines")
        subscription["latest_invoice"] = created["id"]
        self.tell("invoice.created", created)
        self.tell("invoice.finalized", created)
        if subscription["pause_collection"]:
            return self._void(subscription, created)
        self._collect(subscription, created, card)
        return created

    def _void(self, subscription: dict[str, Any], invoice: dict[str, Any]) -> dict[str, Any]:
        """Void an invoice of a subscription whose collection is paused."""
        invoice["status"] = "void"
        invoice["status_transitions"]["voided_at"] = self.now()
        self.tell("invoice.voided", invoice)
        self.tell("customer.subscription.updated", subscription)
        return invoice

    def _collect(self, subscription: dict[str, Any], invoice: dict[str, Any], card: str) -> None:
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
        refused = None
        if invoice["amount_due"]:
            intent = self.intent(invoice["amount_due"], invoice["currency"], invoice["customer"], {})
            refused = self.charge(intent, "4000000000009995" if card == "4000000000000341" else card)
        if refused:
            subscription["status"] = "past_due"
            self.tell("invoice.payment_failed", invoice)
        else:
            invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
            invoice["status_transitions"]["paid_at"] = self.now()
            subscription["status"] = "active"
            self.tell("invoice.paid", invoice)
            self.tell("invoice.payment_succeeded", invoice)
        self.tell("customer.subscription.updated", subscription)
