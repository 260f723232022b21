"""The style of the cutting engine."""

from __future__ import annotations

from pathlib import Path

from vetrina.clients.engines.base import Style
from vetrina.clients.engines.builtin.parameters import choice, fraction, integer

ENGINE = "cutting"
REMOVE_BACKGROUND = "remove_background"

STYLES: list[Style] = [
    Style(
        name=REMOVE_BACKGROUND,
        title="Remove background",
        description=(
            "The subject alone, with a transparent background. Rendered on this machine's CPU by image processing; a small "
            "neural network (U2-Net) cuts the subject out."
        ),
        engine=ENGINE,
        parameters=[
            choice("format", "File format", ["png", "webp"], "PNG keeps every pixel, WebP is smaller."),
            fraction("margin", "Margin", 0.05, "Empty space around the subject, as a share of its longer side."),
            integer("size", "Size", 1600, 480, 3200, 80, "Long side of the photograph, in pixels."),
        ],
        needs_picture=True,
        process="composition",
    ),
]

BY_NAME: dict[str, Style] = {style.name: style for style in STYLES}


def preview_path(style: str) -> Path:
    """Return the path of the style's preview tile (WebP, 480 x 600 pixels)."""
    return Path(__file__).with_name("previews") / f"{style}.webp"
