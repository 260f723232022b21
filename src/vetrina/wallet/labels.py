"""Titles of the assets, and quantities with their unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vetrina.wallet.model import Asset
from vetrina.web import i18n
from vetrina.web.i18n import N_, NN_

ASSETS: dict[str, tuple[str, str]] = {
    Asset.TOKEN: ("Tokens", "For pictures made in the studio"),
    Asset.CONVERSION: ("Conversions", "Pictures that your plan includes, month by month"),
    Asset.IMAGE_SLOT: ("Uploads", "Files that your plan lets you bring, month by month"),
    Asset.CONTACT: ("Contacts", "For contact details that you reveal"),
    Asset.POSTING: ("Postings", "For contact posts that you publish"),
}
_UNITS: dict[str, tuple[str, str]] = {
    Asset.TOKEN: NN_("{n} token", "{n} tokens"),
    Asset.CONVERSION: NN_("{n} conversion", "{n} conversions"),
    Asset.IMAGE_SLOT: NN_("{n} upload", "{n} uploads"),
    Asset.CONTACT: NN_("{n} contact", "{n} contacts"),
    Asset.POSTING: NN_("{n} posting", "{n} postings"),
}

TITLES = (
    N_("Free"), N_("Basic"), N_("Advanced"), N_("Vendor Free"), N_("Vendor Pro"), N_("Sketchbook"), N_("Studio"), N_("Atelier"),
    N_("One contact"), N_("Address book"), N_("Agency"), N_("A posting"),
)  # fmt: skip
"""Titles of the plans and packs of a new site, which pages translate. Those of an operator's own are shown as they are."""


def amount(asset: str, quantity: int) -> str:
    """Return a quantity with its unit: "200 tokens"."""
    return i18n.count(*_UNITS[asset], abs(quantity))


def _grant(metadata: Mapping[str, Any]) -> str:
    return f"{i18n.number(int(metadata['quantity']))} {str(metadata['asset']).replace('_', ' ')}, {metadata['source']}"


def _adjustment(metadata: Mapping[str, Any]) -> str:
    return amount(str(metadata["asset"]), int(metadata["quantity"]))


def _price_list(metadata: Mapping[str, Any]) -> str:
    """Return the row that was added, changed or removed, and what changed: "tokens_50, price: 499 → 599"."""
    changes = [f"{name}: {values['from']} → {values['to']}" for name, values in metadata.get("changed", {}).items()]
    return ", ".join([str(metadata.get("name") or metadata.get("plan_id") or ""), *changes])


AUDIT = {
    "credits_granted": "Credits came in",
    "credits_given": "An operator gave credits",
    "credits_taken": "An operator took credits",
    "pack_added": "A pack was added",
    "pack_changed": "A pack was changed",
    "pack_removed": "A pack was removed",
    "plan_added": "A plan was added",
    "plan_changed": "A plan was changed",
    "plan_removed": "A plan was removed",
    "plan_price_added": "A price of a plan was added",
    "plan_price_changed": "A price of a plan was changed",
    "plan_price_removed": "A price of a plan was removed",
}
"""Titles of actions in the audit log."""
AUDIT_DETAILS = {
    "credits_granted": _grant,
    "credits_given": _adjustment,
    "credits_taken": _adjustment,
    **{action: _price_list for action in AUDIT if action.startswith(("pack_", "plan_"))},
}
"""What the audit log says of an action besides, made of its metadata."""

USAGE = {
    "plan_cancelled": "Plans cancelled",
    "plan_resumed": "Plans resumed",
    "plan_follows": "Plans changed",
}
"""Titles of actions in the usage record."""
