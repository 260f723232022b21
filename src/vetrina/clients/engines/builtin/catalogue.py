"""The built-in styles with their titles, descriptions and parameters."""

from __future__ import annotations

from pathlib import Path

from vetrina.clients.engines.base import Parameter, Style
from vetrina.clients.engines.builtin.parameters import boolean, choice, fraction, integer, number

ENGINE = "builtin"
DISCLOSURE = "Rendered on this machine's CPU by image processing; no AI."
CUT_OUT_DISCLOSURE = "Rendered on this machine's CPU by image processing; a small neural network (U2-Net) cuts the product out."


SIZE = integer("size", "Size", 1600, 480, 3200, 80, "Long side of the result, in pixels.")
INK = ["black", "sepia", "indigo", "green", "oxblood"]


def _style(
    name: str,
    title: str,
    description: str,
    *parameters: Parameter,
    needs_product: bool = False,
    needs_model: bool = False,
) -> Style:
    return Style(
        name=name,
        title=title,
        description=f"{description} {CUT_OUT_DISCLOSURE if needs_product else DISCLOSURE}",
        engine=ENGINE,
        parameters=[*parameters, SIZE],
        needs_product=needs_product,
        needs_model=needs_model,
        needs_picture=True,
        process="composition" if needs_product else "algorithm",
    )


PAINTING = [
    _style(
        "watercolour",
        "Watercolour",
        "Transparent washes with dark rims on rough paper; colours run where it is wet.",
        fraction("wetness", "Wetness", 0.5, "How far colours run into each other."),
        fraction("colour", "Colour", 0.5, "How strong the pigments are."),
        fraction("granulation", "Granulation", 0.5, "How much pigment settles in the paper's pits."),
        fraction("pencil", "Pencil lines", 0.4, "An underdrawing that shows through."),
    ),
    _style(
        "oil",
        "Oil painting",
        "Bristle strokes from broad to fine that follow the forms, thick enough to catch the light.",
        number("brush", "Brush size", 1.0, 0.5, 2.0, 0.1),
        fraction("colour", "Colour", 0.4),
        number("impasto", "Thickness of the paint", 1.0, 0.0, 2.0, 0.1),
    ),
    _style(
        "gouache",
        "Gouache",
        "Opaque matte paint in flat, confident strokes with a limited palette.",
        integer("paints", "Paints", 16, 6, 32, 1, "How many paints are mixed."),
        fraction("colour", "Colour", 0.5),
        number("brush", "Brush size", 1.0, 0.5, 2.0, 0.1),
    ),
    _style(
        "pastel",
        "Soft pastel",
        "Chalky strokes on toned paper whose colour glows through.",
        choice("paper", "Paper", ["umber", "slate", "cream", "rose", "black"]),
        fraction("pressure", "Pressure", 0.7, "Light pressure leaves more of the paper showing."),
        fraction("blend", "Blending", 0.4, "Smudging with a fingertip."),
    ),
    _style(
        "pointillism",
        "Pointillism",
        "Dots of unmixed colour that the eye mixes.",
        number("dot", "Dot size", 6.0, 3.0, 14.0, 0.5),
        fraction("vibrance", "Vibrance", 0.6, "How far the dots' hues part."),
    ),
]

DRAWING = [
    _style(
        "pencil",
        "Pencil",
        "Contours and hatching laid stroke by stroke on toothed paper; coloured pencils too.",
        choice("lead", "Lead", ["graphite", "sepia", "blue", "red", "coloured"]),
        fraction("darkness", "Darkness", 0.5),
        fraction("outline", "Outline", 0.7),
    ),
    _style(
        "charcoal",
        "Charcoal and chalk",
        "Smudged charcoal with white chalk for the lights, on toned paper.",
        choice("paper", "Paper", ["grey", "kraft", "blue", "cream"]),
        fraction("smudge", "Smudging", 0.5),
        fraction("accents", "Dark accents", 0.6),
        fraction("chalk", "White chalk", 0.7),
    ),
    _style(
        "hatching",
        "Pen and ink",
        "Contours and cross-hatching that follows the forms and keeps its distance.",
        choice("ink", "Ink", INK),
        number("spacing", "Spacing of the lines", 6.0, 4.0, 12.0, 0.5),
        fraction("darkness", "Darkness", 0.5),
        fraction("outline", "Outline", 0.5),
    ),
    _style(
        "stipple",
        "Stippling",
        "Tens of thousands of pen dots, closer where it is dark.",
        choice("ink", "Ink", INK),
        integer("dots", "Dots, in thousands", 60, 10, 100, 5, "On a picture of 1600 by 1200 pixels."),
        number("size_of_dot", "Dot size", 1.0, 0.7, 1.8, 0.1),
    ),
    _style(
        "engraving",
        "Engraving",
        "Swelling parallel lines that bend over the forms, as on a banknote.",
        choice("ink", "Ink", ["green", "black", "sepia", "indigo", "oxblood"]),
        number("spacing", "Spacing of the lines", 7.0, 4.5, 14.0, 0.5),
        fraction("relief", "Bend", 0.5, "How far the lines bend over the forms."),
    ),
]

PRINTING = [
    _style(
        "risograph",
        "Risograph",
        "Two or three spot inks overprinted through halftone screens, a little out of register.",
        choice(
            "inks",
            "Inks",
            [
                "pink_blue_yellow",
                "red_teal",
                "orange_navy",
                "coral_green_yellow",
                "violet_mint_orange",
                "blue_black",
            ],
        ),
        number("misregistration", "Misregistration", 3.0, 0.0, 12.0, 0.5, "In pixels at 1600."),
        number("screen", "Screen", 7.0, 4.0, 16.0, 0.5, "Distance of the dots."),
    ),
    _style(
        "pop_art",
        "Pop art",
        "One motif screen-printed in several loud colourways.",
        choice("panels", "Panels", ["4", "1", "2", "9"]),
        fraction("lines", "Lines", 0.7),
    ),
    _style(
        "comic",
        "Comic",
        "Bold brush lines, spotted blacks, flat colours and Ben-Day dots.",
        fraction("line", "Line weight", 0.5),
        integer("tones", "Tones", 5, 3, 9),
        fraction("colour", "Colour", 0.5),
        number("dots", "Dot distance", 7.0, 4.0, 16.0, 0.5),
    ),
    _style(
        "poster",
        "Travel poster",
        "A handful of flat inks, rounded shapes, sprayed grain and a cream margin.",
        integer("inks", "Inks", 9, 4, 16),
        fraction("simplicity", "Simplicity", 0.5),
        fraction("grain", "Grain", 0.6),
        boolean("margin", "Margin", True),
    ),
    _style(
        "linocut",
        "Linocut",
        "Cut with a gouge along the forms; a second block adds a colour.",
        choice("ink", "Ink", ["black", "indigo", "forest", "oxblood", "teal"]),
        fraction("gouge", "Gouge width", 0.5),
        fraction("darkness", "Darkness", 0.5),
        boolean("second_block", "Second colour", True),
    ),
    _style(
        "cyanotype",
        "Cyanotype",
        "Prussian blue on paper coated by hand with a broad brush.",
        choice("toning", "Toning", ["none", "tea"]),
        fraction("exposure", "Exposure", 0.5, "Longer in the sun is darker."),
        fraction("brush_edge", "Brush marks", 0.5),
    ),
]

FLAT = [
    _style(
        "cut_paper",
        "Cut paper",
        "Sheets of coloured paper stacked on each other, each with its shadow.",
        integer("sheets", "Sheets", 8, 4, 14),
        number("depth", "Depth", 1.0, 0.2, 2.5, 0.1),
        choice("on_top", "On top", ["light", "dark"]),
    ),
    _style(
        "mosaic",
        "Mosaic",
        "Square stones set in rows along the contours, each tilted its own way.",
        number("tile", "Stone size", 16.0, 8.0, 40.0, 1.0),
        fraction("grout", "Grout", 0.5),
    ),
    _style(
        "stained_glass",
        "Stained glass",
        "Leaded panes cut along the shapes, lit from behind.",
        number("pane", "Pane size", 56.0, 30.0, 120.0, 2.0),
        fraction("glow", "Glow", 0.6),
        number("lead", "Lead", 3.0, 1.0, 7.0, 0.5),
    ),
    _style(
        "low_poly",
        "Low poly",
        "Flat triangles, small where there is detail.",
        integer("triangles", "Triangles", 6000, 400, 20000, 100),
        number("detail", "Detail", 1.0, 0.2, 3.0, 0.1, "How strongly corners gather on edges."),
        fraction("facets", "Facets", 0.6, "How differently the facets catch the light."),
    ),
]

_BACKDROP_PARAMETERS = (
    choice("format", "Format", ["portrait", "square", "landscape"]),
    number("product_size", "Product size", 0.62, 0.2, 0.95, 0.01, "Share of the picture's shorter side."),
    fraction("shadow", "Shadow", 0.7),
)
_PAPER_PARAMETERS = (
    boolean("colour_from_product", "Choose the colour", True, "A quiet colour that sets the product off."),
    Parameter(
        name="backdrop",
        title="Backdrop colour",
        kind="colour",
        default="#e9dfd2",
        help="Used when the colour is not chosen from the product.",
    ),
)

STUDIO = [
    _style(
        "studio_composite",
        "Product in a scene",
        "The product is cut out and set into the scene: shadow, colour, grain and edges matched.",
        number("x", "Across", 0.66, 0.0, 1.0, 0.01, "Middle of the product, from left to right."),
        number("y", "Down", 0.7, 0.0, 1.0, 0.01, "Middle of the product, from top to bottom."),
        number("product_size", "Product size", 0.55, 0.05, 1.2, 0.01, "Share of the scene's shorter side."),
        fraction("shadow", "Shadow", 0.7),
        choice("shadow_on", "Shadow falls on", ["ground", "wall"]),
        choice("light", "Light from", ["auto", "left", "right", "above"]),
        fraction("colour_match", "Colour match", 0.6, "How far colours move towards the scene's light."),
        fraction("blend", "Blend", 0.5, "How softly the edges sink in."),
        needs_product=True,
        needs_model=True,
    ),
    _style(
        "studio_sweep",
        "Paper sweep",
        "The product on seamless paper; with a scene photograph, before it out of focus.",
        choice("light", "Light", ["softbox", "window", "leaves"]),
        *_BACKDROP_PARAMETERS,
        *_PAPER_PARAMETERS,
        needs_product=True,
    ),
    _style(
        "studio_plinth",
        "Plinth",
        "The product on a round plinth, with window or leaf shadows on the wall.",
        choice("light", "Light", ["leaves", "window", "softbox"]),
        *_BACKDROP_PARAMETERS,
        *_PAPER_PARAMETERS,
        needs_product=True,
    ),
    _style(
        "studio_white",
        "Catalogue white",
        "The product on white with a soft shadow and a faint reflection.",
        *_BACKDROP_PARAMETERS,
        fraction("reflection", "Reflection", 0.5),
        needs_product=True,
    ),
]

STYLES: list[Style] = [*STUDIO, *PAINTING, *DRAWING, *PRINTING, *FLAT]
"""Every built-in style; names are unique."""

BY_NAME: dict[str, Style] = {style.name: style for style in STYLES}


def preview_path(style: str) -> Path:
    """Return the path of the style's preview tile (WebP, 480 x 600 pixels); styles of other engines have none."""
    return Path(__file__).with_name("previews") / f"{style}.webp"
