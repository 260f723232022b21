"""Titles of payments' actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vetrina.web import formatting

AUDIT = {
    "payment_started": "A payment was started",
    "payment_completed": "A payment was made",
    "payment_failed": "A payment was declined",
    "payment_cancelled": "A payment was cancelled",
    "payment_expired": "A payment expired",
    "payment_refunded": "A payment was refunded",
    "payment_disputed": "A payment was disputed",
    "refund_asked": "A refund was asked for",
}
"""Titles of actions in the audit log."""

USAGE = {
    "payment_started": "Payments started",
    "payment_completed": "Payments made",
    "payment_failed": "Payments declined",
    "payment_cancelled": "Payments cancelled",
    "payment_expired": "Payments expired",
}
"""Titles of actions in the usage record."""


def _amount(metadata: Mapping[str, Any]) -> str:
    if "amount" not in metadata:
        return ""
    return f"{formatting.money(int(metadata['amount']), str(metadata['currency']))}, {metadata['gateway']}"


AUDIT_DETAILS = dict.fromkeys((action for action in AUDIT if action.startswith("payment_")), _amount)
"""Details shown with an audit entry, from its metadata."""
