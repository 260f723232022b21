"""Parts of Stripe's objects that are the same in every object of the fake; the fields follow the API reference."""

from __future__ import annotations

from typing import Any

AUTOMATIC_TAX: dict[str, Any] = {"enabled": False, "liability": None, "disabled_reason": None}
ISSUER: dict[str, Any] = {"type": "self"}


def listed(data: list[dict[str, Any]], url: str) -> dict[str, Any]:
    """Return a list object that holds all of its elements."""
    return {"object": "list", "data": data, "has_more": False, "url": url}


def charge() -> dict[str, Any]:
    """Return what a charge by card has besides its sums."""
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {"billing_details": {"address": address, "email": None, "name": None, "phone": None, "tax_id": None}}


def session() -> dict[str, Any]:
    """Return what a Checkout Session has besides its sums."""
    texts = dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"))
    return {
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "custom_fields": [],
        "custom_text": texts,
        "shipping_options": [],
    }


def dispute(due_by: int) -> dict[str, Any]:
    """Return what a dispute has besides its sums."""
    return {
        "balance_transactions": [],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False, "submission_count": 0,
            "submission_method": "not_submitted",
        },
    }  # fmt: skip


def invoice() -> dict[str, Any]:
    """Return what an invoice has besides its sums, its lines and its subscription."""
    return {
        "amount_overpaid": 0, "amount_shipping": 0, "automatic_tax": {**AUTOMATIC_TAX, "provider": None, "status": None},
        "default_tax_rates": [], "discounts": [], "issuer": ISSUER, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "due_date": None, "hosted_invoice_url": None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
    }  # fmt: skip


def subscription() -> dict[str, Any]:
    """Return what a subscription has besides its items and its state."""
    return {
        "automatic_tax": AUTOMATIC_TAX, "billing_schedules": [], "discounts": [], "pause_collection": None, "trial_end": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": ISSUER}, "collection_method": "charge_automatically",
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    }  # fmt: skip


def billing_mode(kind: str, at: int) -> dict[str, Any]:
    """Return a subscription's billing mode: flexible, which is the default of the pinned API, or classic."""
    if kind == "classic":
        return {"type": "classic", "flexible": None}
    return {"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": at}


def plan(price: dict[str, Any]) -> dict[str, Any]:
    """Return a price as the older API called it; subscription items still carry both."""
    recurring = price["recurring"]
    return {
        "id": price["id"], "object": "plan", "active": True, "amount": price["unit_amount"], "livemode": False, "metadata": {},
        "amount_decimal": price["unit_amount_decimal"], "billing_scheme": "per_unit", "created": price["created"],
        "currency": price["currency"], "interval": recurring["interval"], "interval_count": recurring["interval_count"],
        "nickname": None, "product": price["product"], "usage_type": recurring["usage_type"],
    }  # fmt: skip


def line(
    subscription: str, item: dict[str, Any], id: str, amount: int, start: int, end: int, *, proration: bool = False
) -> dict[str, Any]:
    """Return an invoice's line for a subscription item from `start` to `end`."""
    price = item["price"]
    details = {
        "subscription": subscription, "subscription_item": item["id"], "proration": proration, "invoice_item": None,
        "proration_details": {"credited_items": None} if proration else None,
    }  # fmt: skip
    return {
        "id": id, "object": "line_item", "amount": amount, "subtotal": amount, "currency": price["currency"],
        "quantity": item["quantity"], "discountable": not proration, "discounts": [], "discount_amounts": [],
        "livemode": False, "metadata": {}, "period": {"start": start, "end": end},
        "parent": {"type": "subscription_item_details", "subscription_item_details": details, "invoice_item_details": None},
        "pricing": {"type": "price_details", "price_details": {"price": price["id"], "product": price["product"]},
                    "unit_amount_decimal": price["unit_amount_decimal"]},
    }  # fmt: skip
