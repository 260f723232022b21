"""The types of Stripe events that payments handle, as LIKE patterns."""

from __future__ import annotations

STRIPE_EVENTS = (
    "checkout.session.%",
    "payment_intent.payment_failed",
    "charge.%",
    "refund.%",
    "invoice.%",
    "customer.subscription.%",
)
