"""The built-in styles: what they are called, what they promise, which knobs they have."""

from __future__ import annotations

from vetrina.clients.engines.base import Parameter, Style

ENGINE = "builtin"
HONEST = "Rendered on this machine's CPU by image processing; no AI."


def _share(name: str, title: str, default: float, help: str = "") -> Parameter:
    return Parameter(
        name=name, title=title, kind="number", default=default, minimum=0.0, maximum=1.0, step=0.05, help=help
    )


def _number(
    name: str, title: str, default: float, low: float, high: float, step: float, help: str = ""
) -> Parameter:
    return Parameter(
        name=name,
        title=title,
        kind="number",
        default=default,
        minimum=low,
        maximum=high,
        step=step,
        help=help,
    )


def _whole(
    name: str, title: str, default: int, low: int, high: int, step: int = 1, help: str = ""
) -> Parameter:
    return Parameter(
        name=name,
        title=title,
        kind="integer",
        default=default,
        minimum=low,
        maximum=high,
        step=step,
        help=help,
    )


def _choice(name: str, title: str, choices: list[str], help: str = "") -> Parameter:
    return Parameter(name=name, title=title, kind="choice", default=choices[0], choices=choices, help=help)


def _yes(name: str, title: str, default: bool, help: str = "") -> Parameter:
    return Parameter(name=name, title=title, kind="boolean", default=default, help=help)


SIZE = _whole("size", "Size", 1600, 480, 3200, 80, "Long side of the result, in pixels.")
INK = ["black", "sepia", "indigo", "green", "oxblood"]


def _style(name: str, title: str, description: str, *parameters: Parameter, **needs: bool) -> Style:
    return Style(
        name=name,
        title=title,
        description=f"{description} {HONEST}",
        engine=ENGINE,
        parameters=[*parameters, SIZE],
        **needs,
    )


PAINTED = [
    _style(
        "watercolour",
        "Watercolour",
        "Transparent washes with dark rims on rough paper; colours run where it is wet.",
        _share("wetness", "Wetness", 0.5, "How far colours run into each other."),
        _share("colour", "Colour", 0.5, "How strong the pigments are."),
        _share("granulation", "Granulation", 0.5, "How much pigment settles in the paper's pits."),
        _share("pencil", "Pencil lines", 0.4, "An underdrawing that shows through."),
    ),
    _style(
        "oil",
        "Oil painting",
        "Bristle strokes from broad to fine that follow the forms, thick enough to catch the light.",
        _number("brush", "Brush size", 1.0, 0.5, 2.0, 0.1),
        _share("colour", "Colour", 0.4),
        _number("impasto", "Thickness of the paint", 1.0, 0.0, 2.0, 0.1),
    ),
    _style(
        "gouache",
        "Gouache",
        "Opaque matte paint in flat, confident strokes with a limited palette.",
        _whole("paints", "Paints", 16, 6, 32, 1, "How many paints are mixed."),
        _share("colour", "Colour", 0.5),
        _number("brush", "Brush size", 1.0, 0.5, 2.0, 0.1),
    ),
    _style(
        "pastel",
        "Soft pastel",
        "Chalky strokes on toned paper whose colour glows through.",
        _choice("paper", "Paper", ["umber", "slate", "cream", "rose", "black"]),
        _share("pressure", "Pressure", 0.7, "Light pressure leaves more of the paper showing."),
        _share("blend", "Blending", 0.4, "Smudging with a fingertip."),
    ),
    _style(
        "pointillism",
        "Pointillism",
        "Dots of unmixed colour that the eye mixes.",
        _number("dot", "Dot size", 6.0, 3.0, 14.0, 0.5),
        _share("vibrance", "Vibrance", 0.6, "How far the dots' hues part."),
    ),
]

DRAWN = [
    _style(
        "pencil",
        "Pencil",
        "Contours and hatching laid stroke by stroke on toothed paper; coloured pencils too.",
        _choice("lead", "Lead", ["graphite", "sepia", "blue", "red", "coloured"]),
        _share("darkness", "Darkness", 0.5),
        _share("outline", "Outline", 0.7),
    ),
    _style(
        "charcoal",
        "Charcoal and chalk",
        "Smudged charcoal with white chalk for the lights, on toned paper.",
        _choice("paper", "Paper", ["grey", "kraft", "blue", "cream"]),
        _share("smudge", "Smudging", 0.5),
        _share("accents", "Dark accents", 0.6),
        _share("chalk", "White chalk", 0.7),
    ),
    _style(
        "hatching",
        "Pen and ink",
        "Contours and cross-hatching that follows the forms and keeps its distance.",
        _choice("ink", "Ink", INK),
        _number("spacing", "Spacing of the lines", 6.0, 4.0, 12.0, 0.5),
        _share("darkness", "Darkness", 0.5),
        _share("outline", "Outline", 0.5),
    ),
    _style(
        "stipple",
        "Stippling",
        "Tens of thousands of pen dots, closer where it is dark.",
        _choice("ink", "Ink", INK),
        _whole("dots", "Dots, in thousands", 60, 10, 100, 5, "On a picture of 1600 by 1200 pixels."),
        _number("size_of_dot", "Dot size", 1.0, 0.7, 1.8, 0.1),
    ),
    _style(
        "engraving",
        "Engraving",
        "Swelling parallel lines that bend over the forms, as on a banknote.",
        _choice("ink", "Ink", ["green", "black", "sepia", "indigo", "oxblood"]),
        _number("spacing", "Spacing of the lines", 7.0, 4.5, 14.0, 0.5),
        _share("relief", "Bend", 0.5, "How far the lines bend over the forms."),
    ),
]

PRINTED = [
    _style(
        "risograph",
        "Risograph",
        "Two or three spot inks overprinted through halftone screens, a little out of register.",
        _choice(
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
        _number("misregistration", "Misregistration", 3.0, 0.0, 12.0, 0.5, "In pixels at 1600."),
        _number("screen", "Screen", 7.0, 4.0, 16.0, 0.5, "Distance of the dots."),
    ),
    _style(
        "pop_art",
        "Pop art",
        "One motif screen-printed in several loud colourways.",
        _choice("panels", "Panels", ["4", "1", "2", "9"]),
        _share("lines", "Lines", 0.7),
    ),
    _style(
        "comic",
        "Comic",
        "Bold brush lines, spotted blacks, flat colours and Ben-Day dots.",
        _share("line", "Line weight", 0.5),
        _whole("tones", "Tones", 5, 3, 9),
        _share("colour", "Colour", 0.5),
        _number("dots", "Dot distance", 7.0, 4.0, 16.0, 0.5),
    ),
    _style(
        "poster",
        "Travel poster",
        "A handful of flat inks, rounded shapes, sprayed grain and a cream margin.",
        _whole("inks", "Inks", 9, 4, 16),
        _share("simplicity", "Simplicity", 0.5),
        _share("grain", "Grain", 0.6),
        _yes("margin", "Margin", True),
    ),
    _style(
        "linocut",
        "Linocut",
        "Cut with a gouge along the forms; a second block adds a colour.",
        _choice("ink", "Ink", ["black", "indigo", "forest", "oxblood", "teal"]),
        _share("gouge", "Gouge width", 0.5),
        _share("darkness", "Darkness", 0.5),
        _yes("second_block", "Second colour", True),
    ),
    _style(
        "cyanotype",
        "Cyanotype",
        "Prussian blue on paper coated by hand with a broad brush.",
        _choice("toning", "Toning", ["none", "tea"]),
        _share("exposure", "Exposure", 0.5, "Longer in the sun is darker."),
        _share("brush_edge", "Brush marks", 0.5),
    ),
]

BUILT = [
    _style(
        "cut_paper",
        "Cut paper",
        "Sheets of coloured paper stacked on each other, each with its shadow.",
        _whole("sheets", "Sheets", 8, 4, 14),
        _number("depth", "Depth", 1.0, 0.2, 2.5, 0.1),
        _choice("on_top", "On top", ["light", "dark"]),
    ),
    _style(
        "mosaic",
        "Mosaic",
        "Square stones set in rows along the contours, each tilted its own way.",
        _number("tile", "Stone size", 16.0, 8.0, 40.0, 1.0),
        _share("grout", "Grout", 0.5),
    ),
    _style(
        "stained_glass",
        "Stained glass",
        "Leaded panes cut along the shapes, lit from behind.",
        _number("pane", "Pane size", 56.0, 30.0, 120.0, 2.0),
        _share("glow", "Glow", 0.6),
        _number("lead", "Lead", 3.0, 1.0, 7.0, 0.5),
    ),
    _style(
        "low_poly",
        "Low poly",
        "Flat triangles, small where there is detail.",
        _whole("triangles", "Triangles", 6000, 400, 20000, 100),
        _number("detail", "Detail", 1.0, 0.2, 3.0, 0.1, "How strongly corners gather on edges."),
        _share("facets", "Facets", 0.6, "How differently the facets catch the light."),
    ),
]

_ROOM = (
    _choice("format", "Format", ["portrait", "square", "landscape"]),
    _number("product_size", "Product size", 0.62, 0.2, 0.95, 0.01, "Share of the picture's shorter side."),
    _share("shadow", "Shadow", 0.7),
)
_PAPER = (
    _yes("colour_from_product", "Choose the colour", True, "A quiet colour that sets the product off."),
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
        _number("x", "Across", 0.66, 0.0, 1.0, 0.01, "Middle of the product, from left to right."),
        _number("y", "Down", 0.7, 0.0, 1.0, 0.01, "Middle of the product, from top to bottom."),
        _number("product_size", "Product size", 0.55, 0.05, 1.2, 0.01, "Share of the scene's shorter side."),
        _share("shadow", "Shadow", 0.7),
        _choice("shadow_on", "Shadow falls on", ["ground", "wall"]),
        _choice("light", "Light from", ["auto", "left", "right", "above"]),
        _share("colour_match", "Colour match", 0.6, "How far colours move towards the scene's light."),
        _share("blend", "Blend", 0.5, "How softly the edges sink in."),
        needs_product=True,
        needs_model=True,
    ),
    _style(
        "studio_sweep",
        "Paper sweep",
        "The product on seamless paper; with a scene photograph, before it out of focus.",
        _choice("light", "Light", ["softbox", "window", "leaves"]),
        *_ROOM,
        *_PAPER,
        needs_product=True,
    ),
    _style(
        "studio_plinth",
        "Plinth",
        "The product on a round plinth, with window or leaf shadows on the wall.",
        _choice("light", "Light", ["leaves", "window", "softbox"]),
        *_ROOM,
        *_PAPER,
        needs_product=True,
    ),
    _style(
        "studio_white",
        "Catalogue white",
        "The product on white with a soft shadow and a faint reflection.",
        *_ROOM,
        _share("reflection", "Reflection", 0.5),
        needs_product=True,
    ),
]

STYLES: list[Style] = [*STUDIO, *PAINTED, *DRAWN, *PRINTED, *BUILT]
"""Every built-in style; names are unique."""

BY_NAME: dict[str, Style] = {style.name: style for style in STYLES}
