"""The image of a link preview, made in the isolated child."""

from __future__ import annotations

import re
from typing import Any

from vetrina.core.isolation.child import Report
from vetrina.media.processing.images import open_thumbnail

_QUALITY = 84
_NO_METADATA = 0


def share_card(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the whole of a picture on a card of its own colour, as JPEG.

    Takes `data` (a thumbnail of ours), `width` and `height` of the card in pixels, and `colour` ("#rrggbb"). Returns `data`.
    JPEG, because several services show no preview for WebP. Refuses as `intake` does.
    """
    width, height = payload["width"], payload["height"]
    image = open_thumbnail(payload["data"])
    background = _darker(payload["colour"])
    if image.hasalpha():
        image = image.flatten(background=background)
    image = image.thumbnail_image(width, height=height)
    card = image.gravity("centre", width, height, extend="background", background=background)
    return {"data": card.jpegsave_buffer(Q=_QUALITY, keep=_NO_METADATA)}


def _darker(colour: str) -> list[float]:
    """Return the colour, halfway to black where it is light, so that a picture stands out from its card."""
    channels = [int(part, 16) for part in re.findall("[0-9a-f]{2}", colour.lower())] or [24, 28, 26]
    light = sum(channels) / len(channels) > 96
    return [channel // 2 if light else channel for channel in channels]
