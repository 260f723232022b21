"""What the actions of the mirror are called."""

from __future__ import annotations

AUDIT = {
    "customer_linked": "A customer at Stripe was linked",
    "customer_unlinked": "A customer at Stripe was unlinked",
}
"""Titles of actions in the audit log."""
