"""Render the preview tile of each style of this machine's engines from the demo's photographs.

`python -m scripts.previews [STYLE ...]` writes them to the engine's `previews` folder; the seeds are fixed.
Commit what it writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pyvips

from vetrina.clients.engines.base import Value
from vetrina.clients.engines.builtin import catalogue as builtin
from vetrina.clients.engines.builtin import render as builtin_renderer
from vetrina.clients.engines.cutting import catalogue as cutting
from vetrina.clients.engines.cutting import render as cutting_renderer
from vetrina.clients.engines.cutting.catalogue import REMOVE_BACKGROUND
from vetrina.clients.engines.networks.models import read_all
from vetrina.clients.engines.neural import catalogue as neural
from vetrina.clients.engines.neural import render as neural_renderer
from vetrina.demo.photos import path_of as photo_of

WIDTH, HEIGHT = 480, 600


class PreviewSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The input of one preview.

    `x` and `y` are the middle of the 4:5 crop and `zoom` its height, as shares of the photograph;
    `render_side` is the long side at which it is rendered before it is scaled to 600.
    """

    photo: str = ""
    product: str = ""
    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0
    render_side: int = 1000
    seed: int = 7
    parameters: dict[str, Value] = {}


PREVIEWS: dict[str, PreviewSettings] = {
    "studio_composite": PreviewSettings(
        photo="dandelion",
        product="wooden_bird",
        x=0.42,
        parameters={"x": 0.66, "y": 0.62, "product_size": 0.62, "shadow": 0.0, "colour_match": 0.7},
    ),
    "studio_sweep": PreviewSettings(product="fig_bowl"),
    "studio_plinth": PreviewSettings(product="coffee", parameters={"product_size": 0.52}),
    "studio_white": PreviewSettings(product="wooden_bird", parameters={"product_size": 0.86}),
    "watercolour": PreviewSettings(photo="autumn_hill", x=0.78),
    "oil": PreviewSettings(photo="cat", x=0.46),
    "gouache": PreviewSettings(photo="mountain_path", x=0.4),
    "pastel": PreviewSettings(photo="brushes", x=0.5),
    "pointillism": PreviewSettings(photo="autumn_hill", x=0.72, render_side=800, parameters={"dot": 10.0}),
    "pencil": PreviewSettings(photo="dogs", x=0.46, y=0.44, zoom=0.8),
    "charcoal": PreviewSettings(photo="astronaut", x=0.42, y=0.42, zoom=0.84),
    "hatching": PreviewSettings(photo="coffee", x=0.47, render_side=600, parameters={"spacing": 11.0}),
    "stipple": PreviewSettings(photo="cat", x=0.4, render_side=600, parameters={"dots": 60}),
    "engraving": PreviewSettings(photo="astronaut", x=0.44, y=0.36, zoom=0.7, render_side=600, parameters={"spacing": 12.0}),
    "risograph": PreviewSettings(photo="dandelion", x=0.42, parameters={"screen": 16.0, "inks": "orange_navy"}),
    "pop_art": PreviewSettings(photo="astronaut", x=0.42, y=0.4, zoom=0.8, render_side=800),
    "comic": PreviewSettings(photo="astronaut", x=0.42, y=0.42, zoom=0.84, render_side=800),
    "poster": PreviewSettings(photo="mountain_path", x=0.4),
    "linocut": PreviewSettings(photo="room", x=0.5, y=0.66, zoom=0.7, render_side=800),
    "cyanotype": PreviewSettings(photo="stream", x=0.6),
    "cut_paper": PreviewSettings(photo="dandelion", x=0.42),
    "mosaic": PreviewSettings(photo="cat", x=0.4, render_side=900, parameters={"tile": 26.0}),
    "stained_glass": PreviewSettings(photo="fig_bowl", x=0.58, parameters={"pane": 70.0}),
    "low_poly": PreviewSettings(photo="dogs", parameters={"triangles": 3000}),
}

# What a network paints, each from a photograph that suits it.
PREVIEWS |= {
    "style_transfer": PreviewSettings(photo="brushes", product="astronaut", parameters={"strength": 0.7}),
    "ochre_canvas": PreviewSettings(photo="autumn_hill", x=0.78),
    "umber_and_cream": PreviewSettings(photo="astronaut", x=0.42, y=0.42, zoom=0.84),
    "bold_canvas": PreviewSettings(photo="coffee", x=0.47),
    "bright_ink": PreviewSettings(photo="cat", x=0.46),
    "lilac_haze": PreviewSettings(photo="dandelion", x=0.36),
    "pale_teal": PreviewSettings(photo="stream", x=0.6),
    "ink_mosaic": PreviewSettings(photo="fig_bowl", x=0.62),
    "blue_and_gold": PreviewSettings(photo="mountain_path", x=0.4),
    "evening_oil": PreviewSettings(photo="cat", x=0.46),
    "slate_frost": PreviewSettings(photo="rocket", x=0.5),
}

MAX_BYTES = 60_000


def preview(style: str, sitting: PreviewSettings) -> bytes:
    """Return the style's preview as WebP, under 60 kB."""
    engine = neural_renderer if style in neural.BY_NAME else builtin_renderer
    result = engine.render(
        {
            "networks": read_all(),
            "style": style,
            "parameters": {**sitting.parameters, "size": sitting.render_side},
            "seed": sitting.seed,
            "products": [_product(style, photo_of(sitting.product))] if sitting.product else [],
            "models": [_cropped(sitting)] if sitting.photo else [],
        },
        lambda fraction, step: None,
    )
    small = pyvips.Image.thumbnail_buffer(result["images"][0], WIDTH, height=HEIGHT, size="force").copy_memory()
    for blur in (
        0.0,
        0.45,
        0.6,
        0.75,
        0.9,
        1.1,
    ):  # close pen lines are costly: soften them a little rather than smear
        soft = small.gaussblur(blur) if blur else small
        for quality in range(86, 30, -4):
            data = soft.webpsave_buffer(Q=quality, effort=6, smart_subsample=True, keep=0)
            if len(data) < MAX_BYTES:
                return data
    raise ValueError(f"the preview of {style} does not fit into {MAX_BYTES} bytes")


def cut_out_preview() -> bytes:
    """Return the preview of Remove background: a bowl on the chequers that stand for transparency, as WebP."""
    parameters = {"format": "png", "margin": 0.02, "size": 800}
    payload = {"networks": read_all(), "parameters": parameters, "seed": 7, "models": []}
    result = cutting_renderer.render({**payload, "products": [photo_of("fig_bowl").read_bytes()]}, lambda fraction, step: None)
    subject = pyvips.Image.thumbnail_buffer(result["images"][0], WIDTH - 60, height=HEIGHT - 60).copy_memory()
    places = pyvips.Image.xyz(WIDTH, HEIGHT)
    chequers = (((places[0] / 24).floor() + (places[1] / 24).floor()) % 2).ifthenelse(255, 214).cast("uchar")
    ground = chequers.copy(interpretation="b-w").colourspace("srgb")
    left, top = (WIDTH - subject.width) // 2, (HEIGHT - subject.height) // 2
    return ground.composite2(subject, "over", x=left, y=top).flatten().webpsave_buffer(Q=84, effort=6, keep=0)


def _product(style: str, path: Path) -> bytes:
    """Return the product's photograph; what becomes the whole picture has the tile's proportions."""
    return _crop(path, 0.5, 0.5, 1.0) if style in neural.BY_NAME else path.read_bytes()


def _cropped(sitting: PreviewSettings) -> bytes:
    return _crop(photo_of(sitting.photo), sitting.x, sitting.y, sitting.zoom)


def _crop(path: Path, x: float, y: float, zoom: float) -> bytes:
    photo = pyvips.Image.new_from_file(str(path))
    tall = min(photo.height * zoom, photo.width * HEIGHT / WIDTH)
    wide = tall * WIDTH / HEIGHT
    left = min(max(x * photo.width - wide / 2, 0), photo.width - wide)
    top = min(max(y * photo.height - tall / 2, 0), photo.height - tall)
    return photo.crop(round(left), round(top), int(wide), int(tall)).pngsave_buffer(compression=1)


def main(styles: list[str]) -> None:
    """Write the previews of the named styles, or of all of them."""
    if not styles or REMOVE_BACKGROUND in styles:
        cutting.preview_path(REMOVE_BACKGROUND).write_bytes(cut_out_preview())
    for style in [style for style in styles if style != REMOVE_BACKGROUND] or ([] if styles else list(PREVIEWS)):
        data = preview(style, PREVIEWS[style])
        catalogue = neural if style in neural.BY_NAME else builtin
        catalogue.preview_path(style).write_bytes(data)
        print(f"{style:18} {len(data):6} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
