"""The styles that networks paint, with their titles, descriptions and parameters."""

from __future__ import annotations

from pathlib import Path

from vetrina.clients.engines.base import Style
from vetrina.clients.engines.builtin.parameters import boolean, fraction, integer

ENGINE = "neural"
SIZE = integer("size", "Size", 1600, 480, 1600, 80, "Long side of the result, in pixels.")
"""Up to 1600: memory grows with the area."""
STRENGTH = fraction("strength", "Strength", 0.9, "How far the network repaints the photograph.")
COLOURS = boolean("keep_colours", "Keep the colours", False, "Brush strokes of the style in the colours of the photograph.")
FACES = boolean("protect_faces", "Protect faces", True, "Faces are found and repainted less.")

PAINTED_DISCLOSURE = "Painted on this machine's CPU by a small neural network (26-style image stylization)."
TRANSFER_DISCLOSURE = "Painted on this machine's CPU by a small neural network (arbitrary image stylization)."

PAINTED: dict[str, int] = {
    "ochre_canvas": 0,
    "umber_and_cream": 2,
    "bold_canvas": 4,
    "bright_ink": 8,
    "lilac_haze": 12,
    "pale_teal": 14,
    "ink_mosaic": 15,
    "blue_and_gold": 19,
    "evening_oil": 23,
    "slate_frost": 24,
}
"""The network's number of each style."""

STYLE_TRANSFER = "style_transfer"


def _painted(name: str, title: str, description: str) -> Style:
    return Style(
        name=name,
        title=title,
        description=f"{description} {PAINTED_DISCLOSURE}",
        engine=ENGINE,
        parameters=[STRENGTH, COLOURS, FACES, SIZE],
        needs_picture=True,
    )


STYLES: list[Style] = [
    Style(
        name=STYLE_TRANSFER,
        title="Style from a picture",
        description=f"Your photograph in the manner of any other picture of your library. {TRANSFER_DISCLOSURE}",
        engine=ENGINE,
        parameters=[
            fraction("strength", "Strength", 0.6, "Between the photograph's own manner and that of the other picture."),
            fraction("brush", "Oil brush", 0.5, "Brush strokes laid over the result."),
            COLOURS,
            FACES,
            SIZE,
        ],
        needs_product=True,
        needs_model=True,
        needs_picture=True,
        hint="The photograph goes under products, the picture whose style it takes under models and scenes.",
    ),
    _painted("ochre_canvas", "Ochre canvas", "Warm ochre and pale blue, scrubbed into coarse canvas."),
    _painted("umber_and_cream", "Umber and cream", "Dark umber shadows against cream, with dry, broad strokes."),
    _painted("bold_canvas", "Bold canvas", "Strong reds, yellows and light blue with firm outlines."),
    _painted("bright_ink", "Bright ink", "Thin ink lines and splashes of pink, yellow and teal on white."),
    _painted("lilac_haze", "Lilac haze", "Soft strokes of lilac and pale yellow, as in morning fog."),
    _painted("pale_teal", "Pale teal", "Light teal washes with quiet, chalky highlights."),
    _painted("ink_mosaic", "Ink mosaic", "Pale facets held together by fine dark lines."),
    _painted("blue_and_gold", "Blue and gold", "Short swirling strokes of deep blue with golden lights."),
    _painted("evening_oil", "Evening oil", "Dark, smooth oil paint with a little light on the edges."),
    _painted("slate_frost", "Slate and frost", "Slate-blue shadows and frosted cream, spattered."),
]

BY_NAME: dict[str, Style] = {style.name: style for style in STYLES}


def preview_path(style: str) -> Path:
    """Return the path of the style's preview tile (WebP, 480 x 600 pixels)."""
    return Path(__file__).with_name("previews") / f"{style}.webp"
