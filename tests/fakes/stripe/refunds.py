"""Refunds and disputes."""

from __future__ import annotations

from typing import Any

from tests.fakes.stripe import shapes
from tests.fakes.stripe.protocol import Call, Wrong, metadata, whole
from tests.fakes.stripe.store import Store


class After(Store):
    """Money returned to the buyer."""

    def create_refund(self, call: Call) -> dict[str, Any]:
        """Handle POST /v1/refunds."""
        params = call.params
        if "payment_intent" in params:
            intent = self.get("payment_intents", params["payment_intent"])
            name = intent["latest_charge"]
        else:
            name = params.get("charge")
        charge = self.get("charges", name)
        if not charge["paid"]:
            raise Wrong(400, f"Charge {charge['id']} has not been paid.", code="charge_not_refundable")
        left = charge["amount"] - charge["amount_refunded"]
        if not left:
            raise Wrong(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        amount = whole(params, "amount", left)
        if not 1 <= amount <= left:
            raise Wrong(400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
        created = self.add(
            "refunds", "re", amount=amount, charge=charge["id"], currency=charge["currency"], status="succeeded",
            payment_intent=charge["payment_intent"], reason=params.get("reason"), failure_reason=None, receipt_number=None,
        )  # fmt: skip
        created["metadata"] = metadata(params)
        del created["livemode"]  # refunds have none
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.tell("refund.created", created)
        self.tell("charge.refunded", charge)
        self.tell("refund.updated", created)
        return created

    def refund(self, intent: str, amount: int | None = None) -> dict[str, Any]:
        """Refund in Stripe's dashboard."""
        with self.lock:
            params: dict[str, Any] = {"payment_intent": intent} | ({"amount": amount} if amount else {})
            return self.create_refund(Call("POST", "/v1/refunds", params))

    def refund_fails(self, name: str) -> None:
        """Fail a refund, as the cardholder's bank does."""
        with self.lock:
            refund = self.get("refunds", name)
            refund |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
            charge = self.get("charges", refund["charge"])
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self.tell("refund.failed", refund)
            self.tell("charge.refund.updated", refund)

    def dispute(self, intent: str, amount: int | None = None, reason: str = "fraudulent") -> dict[str, Any]:
        """Open a dispute, as the cardholder's bank does."""
        with self.lock:
            charge = self.get("charges", self.get("payment_intents", intent)["latest_charge"])
            created = self.add(
                "disputes", "dp", amount=amount or charge["amount"], charge=charge["id"], currency=charge["currency"],
                payment_intent=intent, reason=reason, status="needs_response", is_charge_refundable=False,
                **shapes.dispute(self.now() + 7 * 86400),
            )  # fmt: skip
            charge["disputed"] = True
            self.tell("charge.dispute.created", created)
            self.tell("charge.dispute.funds_withdrawn", created)
            return created

    def decide(self, name: str, status: str) -> dict[str, Any]:
        """Close a dispute: won, lost or warning_closed."""
        with self.lock:
            dispute = self.get("disputes", name)
            if dispute["status"] in {"won", "lost", "warning_closed"}:
                raise Wrong(400, "This dispute is already closed.")
            if status in {"won", "lost"}:
                dispute["status"] = "under_review"
                self.tell("charge.dispute.updated", dispute)
            dispute["status"] = status
            if status == "won":
                self.tell("charge.dispute.funds_reinstated", dispute)
            self.tell("charge.dispute.closed", dispute)
            return dispute

    def close_dispute(self, call: Call) -> dict[str, Any]:
        """POST /v1/disputes/{id}/close: the merchant accepts the dispute."""
        return self.decide(call.path.split("/")[-2], "lost")
