"""What a public page says about itself where its link is shared: the Open Graph protocol (ogp.me) and Twitter cards."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vetrina.core.services import Services

CARD_WIDTH, CARD_HEIGHT = 1200, 630
"""Pixels of a preview's image: the ratio of 1.91 that previews crop to, at the size of high-density screens."""


class LinkPreview(msgspec.Struct, frozen=True, kw_only=True):
    """Title, description and image of a shared link. Addresses are absolute, as previews need them."""

    title: str
    description: str
    url: str
    image: str | None = None
    """A JPEG of CARD_WIDTH x CARD_HEIGHT pixels."""
    image_alt: str = ""
    kind: str = "website"
    """The Open Graph type: website, article, profile."""
    published_at: datetime | None = None
    width: int = CARD_WIDTH
    height: int = CARD_HEIGHT


def absolute(services: Services, path: str) -> str:
    """Return the address of a path of this site, under its public address (VETRINA_PUBLIC_URL)."""
    return services.settings.address + path
