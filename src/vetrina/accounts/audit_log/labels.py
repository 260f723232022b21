"""The audit log in words: what an action is called, who did it, what else there is to say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vetrina.accounts.sessions import user_agents as devices
from vetrina.core.audit import Row
from vetrina.web import formatting as words

TITLES = {
    "account_registered": "Signed up",
    "signed_in": "Signed in",
    "session_ended": "A session ended",
    "email_changed": "The e-mail address was changed",
    "phone_changed": "The phone was changed",
    "handle_changed": "The handle was changed",
    "password_changed": "The password was changed",
    "second_factor_on": "The second factor was turned on",
    "second_factor_off": "The second factor was turned off",
    "recovery_code_used": "A recovery code was used",
    "email_verified": "The e-mail address was verified",
    "phone_verified": "The phone was verified",
    "identity_linked": "An identity at a provider was linked",
    "identity_unlinked": "An identity at a provider was unlinked",
    "domain_added": "A domain was added",
    "domain_verified": "A domain was proven",
    "domain_lost": "A domain was lost",
    "domain_removed": "A domain was removed",
    "business_renamed": "The business was renamed",
    "vendor_verified": "The business was verified",
    "vendor_unverified": "The business is no longer verified",
    "role_granted": "A role was given",
    "role_revoked": "A role was taken away",
    "account_disabled": "The account was disabled",
    "account_enabled": "The account was enabled",
    "account_erased": "The account was erased",
    "erasure_asked": "Erasure was asked for",
    "export_asked": "A copy of everything was asked for",
    "export_fetched": "A copy of everything was fetched",
    "credits_granted": "Credits came in",
    "payment_started": "A payment was started",
    "payment_completed": "A payment was made",
    "payment_failed": "A payment was declined",
    "payment_cancelled": "A payment was cancelled",
    "payment_expired": "A payment expired",
    "payment_refunded": "A payment was refunded",
    "payment_disputed": "A payment was disputed",
    "setting_changed": "A setting was changed",
}


def title(action: str) -> str:
    """What an action is called; one that nobody has named yet still reads as words."""
    return TITLES.get(action) or action.replace("_", " ").capitalize()


def by(row: Row, reader: UUID) -> str:
    """you, operator, vetrina, or somebody: as much as the one whom it was done to may know."""
    if row.actor_id == reader:
        return "you"
    return {"admin": "operator", "system": "vetrina"}.get(row.actor_type, "somebody")


def remark(row: Row) -> str:
    """What the row says besides: a device, a role, credits, a sum. Empty when there is nothing."""
    metadata: dict[str, Any] = row.metadata
    if row.action == "signed_in" and row.said:
        return devices.title(row.said.get("device"))
    if row.action in {"role_granted", "role_revoked"}:
        return row.resource_id or ""
    if row.action == "credits_granted":
        return f"{words.number(int(metadata['quantity']))} {str(metadata['asset']).replace('_', ' ')}, {metadata['source']}"
    if row.action.startswith("payment_") and "amount" in metadata:
        return f"{words.money(int(metadata['amount']), str(metadata['currency']))}, {metadata['gateway']}"
    if row.action == "setting_changed":
        return f"{row.resource_id}: {metadata['from']} → {metadata['to']}"
    if row.said and "name" in row.said:
        return str(row.said["name"])
    if row.said and "to" in row.said:
        return f"{row.said.get('from') or '–'} → {row.said.get('to') or '–'}"
    return str(metadata.get("why") or (row.said or {}).get("why") or "")
