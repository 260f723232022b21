"""Customers, products, prices, Checkout, and card charges."""

from __future__ import annotations

from typing import Any

from tests.fakes.stripe import shapes
from tests.fakes.stripe.billing import Billing
from tests.fakes.stripe.protocol import Call, Wrong, metadata, new_id, whole

DECLINED = {
    "4000000000000002": ("generic_decline", "Your card was declined."),
    "4000000000009995": ("insufficient_funds", "Your card has insufficient funds."),
    "4000000000000069": ("expired_card", "Your card has expired."),
}
"""Declined cards, as in Stripe's test mode: code and message."""
GOOD = "4242424242424242"
DISPUTED = "4000000000000259"
"""Paid, and disputed at once."""
FAILS_LATER = "4000000000000341"
"""Pays the first time, but no renewal."""
SLOW = "bank debit"
"""Not a card: confirmed only days later."""
BRANDS = {"4": "visa", "5": "mastercard", "3": "amex"}


class Shop(Billing):
    """Checkout and its objects."""

    def create_customer(self, call: Call) -> dict[str, Any]:
        """Handle POST /v1/customers."""
        fields = {name: call.params.get(name) for name in ("email", "name", "phone", "description")}
        created = self.add("customers", "cus", **fields, address=None, balance=0, currency=None, delinquent=False,
                        invoice_settings={"default_payment_method": None})  # fmt: skip
        created["metadata"] = metadata(call.params)
        self.tell("customer.created", created)
        return created

    def customer(self, name: Any) -> dict[str, Any]:
        """Return a customer named in a call. Raises for deleted and unknown ones."""
        response = self.kinds["customers"].get(str(name))
        if response is None or response.get("deleted"):
            raise Wrong(400, f"No such customer: '{name}'", code="resource_missing", param="customer")
        return response

    def delete_customer(self, name: str) -> dict[str, Any]:
        """Delete a customer in Stripe's dashboard: its subscriptions end, and a stub of it remains."""
        with self.lock:
            customer = self.get("customers", name)
            for subscription in self.all("subscriptions"):
                if subscription["customer"] == name and subscription["status"] != "canceled":
                    self.end(subscription)
            self.tell("customer.deleted", customer)
            self.kinds["customers"][name] = {"id": name, "object": "customer", "deleted": True}
            return self.kinds["customers"][name]

    def create_product(self, call: Call) -> dict[str, Any]:
        """Handle POST /v1/products."""
        created = self.add("products", "prod", name=call.params.get("name"), active=True, description=None,
                        default_price=None, images=[], marketing_features=[], type="service", updated=self.now())  # fmt: skip
        created["metadata"] = metadata(call.params)
        self.tell("product.created", created)
        return created

    def create_price(self, call: Call) -> dict[str, Any]:
        """Handle POST /v1/prices."""
        params = call.params
        product = params.get("product")
        if product is None:
            data = params.get("product_data") or {}
            product = self.create_product(Call("POST", "/v1/products", data))["id"]
        recurring = params.get("recurring")
        created = self.add(
            "prices", "price", product=product, active=True, currency=str(params.get("currency", "")).lower(),
            unit_amount=whole(params, "unit_amount"), unit_amount_decimal=str(params["unit_amount"]), nickname=None,
            billing_scheme="per_unit", type="recurring" if recurring else "one_time",
            recurring={"interval": recurring["interval"], "interval_count": 1, "usage_type": "licensed"} if recurring else None,
        )  # fmt: skip
        created["metadata"] = metadata(params)
        self.tell("price.created", created)
        return created

    def create_session(self, call: Call) -> dict[str, Any]:
        """Handle POST /v1/checkout/sessions."""
        params = call.params
        mode = params.get("mode")
        if mode not in {"payment", "subscription"}:
            raise Wrong(400, f"Invalid mode: {mode}", param="mode")
        lines = params.get("line_items")
        if not isinstance(lines, list) or not params.get("success_url"):
            raise Wrong(400, "Missing required param.", code="parameter_missing", param="line_items")
        expires = whole(params, "expires_at", self.now() + 86400)
        if not self.now() + 1790 <= expires <= self.now() + 86400:
            raise Wrong(400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at")
        if params.get("customer"):
            self.customer(params["customer"])
        bought = [self._line(line) for line in lines]
        if (mode == "subscription") != any(price["recurring"] for price, _ in bought):
            raise Wrong(400, "You must provide a recurring price in subscription mode, and none otherwise.", param="mode")
        total = sum(price["unit_amount"] * quantity for price, quantity in bought)
        if mode == "payment" and total < 50:
            raise Wrong(400, "The Checkout Session's total amount must convert to at least 50 cents.", code="amount_too_small")
        created = self.add(
            "checkout/sessions", "cs_test", mode=mode, status="open", payment_status="unpaid", amount_total=total,
            amount_subtotal=total, currency=bought[0][0]["currency"], customer=params.get("customer"),
            client_reference_id=params.get("client_reference_id"), success_url=params["success_url"],
            cancel_url=params.get("cancel_url"), expires_at=expires, payment_intent=None, subscription=None, invoice=None,
            customer_email=params.get("customer_email"), payment_method_types=["card"], url=None, **shapes.session(),
        )  # fmt: skip
        created["metadata"] = metadata(params)
        created["url"] = f"{self.url}/c/pay/{created['id']}"
        self.inside[created["id"]] = {
            "lines": [(price["id"], quantity) for price, quantity in bought],
            "marks": metadata(params.get("payment_intent_data" if mode == "payment" else "subscription_data") or {}),
        }
        return created

    def expire_session(self, call: Call) -> dict[str, Any]:
        """Handle POST /v1/checkout/sessions/{id}/expire."""
        session = self.get("checkout/sessions", call.path.split("/")[-2])
        if session["status"] != "open":
            raise Wrong(400, f'Only Checkout Sessions with a status in ["open"] can be expired, not {session["status"]}.')
        return self.run_out(session)

    def run_out(self, session: dict[str, Any]) -> dict[str, Any]:
        """Expire an unpaid session."""
        session |= {"status": "expired", "url": None}
        self.tell("checkout.session.expired", session)
        return session

    def pay(self, name: str, card: str = GOOD) -> str | None:
        """Pay on the page as the buyer; return the decline message, or None when paid."""
        with self.lock:
            session = self.get("checkout/sessions", name)
            if session["status"] == "open" and session["expires_at"] <= self.now():
                self.run_out(session)
            if session["status"] != "open":
                raise Wrong(400, "This Checkout Session is not open any more.")
            card = card if card == SLOW else card.replace(" ", "")
            inside = self.inside[session["id"]]
            if session["mode"] == "subscription":
                return self._subscribe(session, inside, card)
            if session["payment_intent"] is None:
                intent = self.intent(session["amount_total"], session["currency"], session["customer"], inside["marks"])
                session["payment_intent"] = intent["id"]
            intent = self.get("payment_intents", session["payment_intent"])
            if card == SLOW:
                intent["status"] = "processing"
                session |= {"status": "complete", "url": None}
                self.tell("payment_intent.processing", intent)
                self.tell("checkout.session.completed", session)
                return None
            if refused := self.charge(intent, card):
                return refused
            session |= {"status": "complete", "payment_status": "paid", "url": None}
            self.tell("checkout.session.completed", session)
            if card == DISPUTED:
                self.dispute(intent["id"])
            return None

    def slow_money(self, name: str, *, comes: bool) -> None:
        """Complete or fail a payment by bank debit."""
        with self.lock:
            session = self.get("checkout/sessions", name)
            intent = self.get("payment_intents", session["payment_intent"])
            if comes:
                self.charge(intent, GOOD)
                session["payment_status"] = "paid"
            else:
                intent["status"] = "requires_payment_method"
                self.tell("payment_intent.payment_failed", intent)
            self.tell(f"checkout.session.async_payment_{'succeeded' if comes else 'failed'}", session)

    def intent(self, amount: int, currency: str, customer: str | None, marks: dict[str, str]) -> dict[str, Any]:
        """Create a payment intent."""
        created = self.add(
            "payment_intents", "pi", amount=amount, amount_received=0, currency=currency, customer=customer, latest_charge=None,
            status="requires_payment_method", last_payment_error=None, capture_method="automatic", description=None,
            payment_method_types=["card"], amount_capturable=0, confirmation_method="automatic",
        )  # fmt: skip
        created["metadata"] = dict(marks)
        self.tell("payment_intent.created", created)
        return created

    def charge(self, intent: dict[str, Any], card: str) -> str | None:
        """Charge a card; return the decline message, or None."""
        code, words = DECLINED.get(card, (None, None))
        if card.isdigit() and len(card) < 13:
            code, words = "invalid_number", "Your card number is invalid."
        details = {"brand": BRANDS.get(card[:1], "visa"), "last4": card[-4:], "exp_month": 12, "exp_year": 2031, "country": "US"}
        created = self.add(
            "charges", "ch", amount=intent["amount"], amount_captured=0 if code else intent["amount"], amount_refunded=0,
            currency=intent["currency"], customer=intent["customer"], payment_intent=intent["id"], captured=not code,
            paid=not code, refunded=False, disputed=False, status="failed" if code else "succeeded",
            failure_code="card_declined" if code else None, failure_message=words,
            balance_transaction=None if code else new_id("txn"),
            payment_method_details={"type": "card", "card": details}, receipt_url=None,
            outcome={"network_status": "declined_by_network" if code else "approved_by_network", "reason": code,
                     "type": "issuer_declined" if code else "authorized"}, **shapes.charge(),
        )  # fmt: skip
        created["metadata"] = dict(intent["metadata"])
        intent["latest_charge"] = created["id"]
        if code:
            error = {
                "type": "card_error",
                "code": "card_declined",
                "decline_code": code,
                "message": words,
                "charge": created["id"],
            }
            intent |= {"status": "requires_payment_method", "last_payment_error": error}
            self.tell("charge.failed", created)
            self.tell("payment_intent.payment_failed", intent)
            return words
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
        self.tell("charge.succeeded", created)
        self.tell("payment_intent.succeeded", intent)
        return None

    def create_portal(self, call: Call) -> dict[str, Any]:
        """Handle POST /v1/billing_portal/sessions."""
        customer = self.customer(call.params.get("customer"))
        created: dict[str, Any] = {
                "id": new_id("bps"), "object": "billing_portal.session", "created": self.now(), "livemode": False,
                "customer": customer["id"], "configuration": "bpc_fake",
                "return_url": call.params.get("return_url")}  # fmt: skip
        self.portals[created["id"]] = created
        return {**created, "url": f"{self.url}/p/session/{created['id']}"}

    def _line(self, line: dict[str, Any]) -> tuple[dict[str, Any], int]:
        quantity = whole(line, "quantity", 1)
        if "price" in line:
            return self.get("prices", line["price"]), quantity
        return self.create_price(Call("POST", "/v1/prices", line.get("price_data") or {})), quantity

    def _subscribe(self, session: dict[str, Any], inside: dict[str, Any], card: str) -> str | None:
        code, words = DECLINED.get(card, (None, None))
        if code:
            return words
        created = self.subscribe(session["customer"], inside["lines"], inside["marks"], card)
        session |= {"status": "complete", "payment_status": "paid", "url": None}
        session |= {"subscription": created["id"], "invoice": created["latest_invoice"]}
        self.tell("checkout.session.completed", session)
        return None
