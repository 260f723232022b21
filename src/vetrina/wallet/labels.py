"""Titles of the assets, and quantities with their unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vetrina.wallet.model import Asset
from vetrina.web import formatting

ASSETS: dict[str, tuple[str, str]] = {
    Asset.TOKEN: ("Tokens", "For pictures made in the studio"),
    Asset.CONVERSION: ("Conversions", "Pictures that your plan includes, month by month"),
    Asset.IMAGE_SLOT: ("Uploads", "Files that your plan lets you bring, month by month"),
    Asset.CONTACT: ("Contacts", "For contact details that you reveal"),
    Asset.POSTING: ("Postings", "For contact posts that you publish"),
}
_UNITS: dict[str, tuple[str, str]] = {
    Asset.TOKEN: ("{n} token", "{n} tokens"),
    Asset.CONVERSION: ("{n} conversion", "{n} conversions"),
    Asset.IMAGE_SLOT: ("{n} upload", "{n} uploads"),
    Asset.CONTACT: ("{n} contact", "{n} contacts"),
    Asset.POSTING: ("{n} posting", "{n} postings"),
}


def amount(asset: str, quantity: int) -> str:
    """Return a quantity with its unit: "200 tokens"."""
    return formatting.count(*_UNITS[asset], abs(quantity))


def _grant(metadata: Mapping[str, Any]) -> str:
    return f"{formatting.number(int(metadata['quantity']))} {str(metadata['asset']).replace('_', ' ')}, {metadata['source']}"


AUDIT = {
    "credits_granted": "Credits came in",
}
"""Titles of actions in the audit log."""
AUDIT_DETAILS = {"credits_granted": _grant}
"""What the audit log says of an action besides, made of its metadata."""
