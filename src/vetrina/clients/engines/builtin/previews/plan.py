"""Which photograph sits for which style, and how it is cropped."""

from __future__ import annotations

import msgspec

from vetrina.clients.engines.base import Value

WIDTH, HEIGHT = 480, 600


class Sitting(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview is made from.

    `x` and `y` are the middle of the 4:5 crop and `zoom` its height, as shares of the photograph;
    `made_at` is the long side at which it is rendered before it is scaled to 600.
    """

    photo: str = ""
    product: str = ""
    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0
    made_at: int = 1000
    seed: int = 7
    parameters: dict[str, Value] = {}


PLAN: dict[str, Sitting] = {
    "studio_composite": Sitting(
        photo="dandelion",
        product="wooden_bird",
        x=0.42,
        parameters={"x": 0.66, "y": 0.62, "product_size": 0.62, "shadow": 0.0, "colour_match": 0.7},
    ),
    "studio_sweep": Sitting(product="fig_bowl"),
    "studio_plinth": Sitting(product="coffee", parameters={"product_size": 0.52}),
    "studio_white": Sitting(product="wooden_bird", parameters={"product_size": 0.86}),
    "watercolour": Sitting(photo="autumn_hill", x=0.78),
    "oil": Sitting(photo="cat", x=0.46),
    "gouache": Sitting(photo="mountain_path", x=0.4),
    "pastel": Sitting(photo="brushes", x=0.5),
    "pointillism": Sitting(photo="autumn_hill", x=0.72, made_at=800, parameters={"dot": 10.0}),
    "pencil": Sitting(photo="dogs", x=0.46, y=0.44, zoom=0.8),
    "charcoal": Sitting(photo="astronaut", x=0.42, y=0.42, zoom=0.84),
    "hatching": Sitting(photo="coffee", x=0.47, made_at=600, parameters={"spacing": 11.0}),
    "stipple": Sitting(photo="cat", x=0.4, made_at=600, parameters={"dots": 60}),
    "engraving": Sitting(
        photo="astronaut", x=0.44, y=0.36, zoom=0.7, made_at=600, parameters={"spacing": 12.0}
    ),
    "risograph": Sitting(photo="dandelion", x=0.42, parameters={"screen": 16.0, "inks": "orange_navy"}),
    "pop_art": Sitting(photo="astronaut", x=0.42, y=0.4, zoom=0.8, made_at=800),
    "comic": Sitting(photo="astronaut", x=0.42, y=0.42, zoom=0.84, made_at=800),
    "poster": Sitting(photo="mountain_path", x=0.4),
    "linocut": Sitting(photo="room", x=0.5, y=0.66, zoom=0.7, made_at=800),
    "cyanotype": Sitting(photo="stream", x=0.6),
    "cut_paper": Sitting(photo="dandelion", x=0.42),
    "mosaic": Sitting(photo="cat", x=0.4, made_at=900, parameters={"tile": 26.0}),
    "stained_glass": Sitting(photo="fig_bowl", x=0.58, parameters={"pane": 70.0}),
    "low_poly": Sitting(photo="dogs", parameters={"triangles": 3000}),
}
