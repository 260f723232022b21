"""Labels of the mirror's audit actions."""

from __future__ import annotations

AUDIT = {
    "customer_linked": "Stripe customer linked",
    "customer_unlinked": "Stripe customer unlinked",
}
"""Titles of actions in the audit log."""
