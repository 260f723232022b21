"""Styles of the ComfyUI engine and the values that fill the places of their workflows."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from vetrina.clients.engines.base import EngineRequest, Parameter, Style
from vetrina.clients.engines.http import ImageHeader

_DISCLOSURE = (
    " Your words and photographs are sent to the ComfyUI server that this site's operator runs or"
    " chose; it keeps copies until its own operator clears them."
)
_AVOID = "blurry, low quality, jpeg artefacts, watermark, text, deformed hands, extra fingers"

_SIDE = Parameter(
    name="side",
    title="Size",
    kind="choice",
    default="1024",
    choices=["512", "768", "1024"],
    help="The side in pixels of a square with as many pixels as the picture.",
)
_STEPS = Parameter(
    name="steps",
    title="Steps",
    kind="integer",
    default=25,
    minimum=8,
    maximum=60,
    step=1,
    help="More steps take longer and give more detail.",
)
_GUIDANCE = Parameter(
    name="guidance",
    title="Faithfulness to the words",
    kind="number",
    default=6.5,
    minimum=1,
    maximum=12,
    step=0.5,
)
_SHAPE = Parameter(
    name="shape",
    title="Shape",
    kind="choice",
    default="square",
    choices=["square", "landscape", "portrait"],
)
_SHAPES = {"square": 1.0, "landscape": 1.5, "portrait": 2 / 3}


def _fraction(name: str, title: str, default: float, low: float, high: float, help_text: str) -> Parameter:
    return Parameter(
        name=name,
        title=title,
        kind="number",
        default=default,
        minimum=low,
        maximum=high,
        step=0.05,
        help=help_text,
    )


def _strength(default: float, low: float, high: float) -> Parameter:
    return _fraction("strength", "Strength", default, low, high, "How far the picture may leave the photograph.")


class StyleDefinition(msgspec.Struct, frozen=True):
    """A style, the words it adds to the user's prompt, and its workflow's name."""

    style: Style
    words: str
    workflow: str


def _define(name: str, title: str, description: str, words: str, workflow: str, *own: Parameter) -> StyleDefinition:
    style = Style(
        name=f"comfyui_{name}",
        title=title,
        description=description + _DISCLOSURE,
        engine="comfyui",
        parameters=[*own, _SIDE, _STEPS, _GUIDANCE],
        needs_product=workflow == "product_on_model",
        needs_model=workflow == "product_on_model",
        needs_picture=workflow != "text_to_image",
    )
    return StyleDefinition(style, words, workflow)


DEFINITIONS = [
    _define(
        "imagine",
        "Imagine",
        "Paints what you describe, from words alone; the same seed repeats the same picture.",
        "highly detailed, professional photograph",
        "text_to_image",
        _SHAPE,
    ),
    _define(
        "reimagine",
        "Reimagine",
        "Repaints one photograph after your words, from a gentle change to a free one.",
        "highly detailed",
        "image_to_image",
        _strength(0.6, 0.3, 0.95),
    ),
    _define(
        "studio_light",
        "Studio light",
        "Relights one product photograph as if taken in a studio, and leaves its shape alone.",
        "professional product photograph, softbox studio light, clean background, crisp focus, true colours",
        "image_to_image",
        _strength(0.3, 0.1, 0.5),
    ),
    _define(
        "product_on_model",
        "Product on model",
        "Lays a cut-out product (with a see-through background) on a photograph of a person and paints"
        " the seams away. A product that is not cut out stays a rectangle.",
        "professional fashion photograph, the product sits naturally, matching light and shadows",
        "product_on_model",
        _fraction("size", "Product's width", 0.4, 0.1, 1.0, "As a part of the picture's width."),
        _fraction("across", "From the left", 0.5, 0.0, 1.0, "Where the product's middle lies."),
        _fraction("down", "From the top", 0.5, 0.0, 1.0, "Where the product's middle lies."),
        _strength(0.4, 0.2, 0.7),
    ),
]

STYLES = [definition.style for definition in DEFINITIONS]
BY_NAME = {definition.style.name: definition for definition in DEFINITIONS}


def values_for(definition: StyleDefinition, request: EngineRequest, pictures: dict[str, ImageHeader]) -> dict[str, Any]:
    """Return the values of the workflow's places, except the pictures' names, the checkpoint and the prefix."""
    parameters = request.parameters
    base = pictures.get("picture") or pictures.get("model") or pictures.get("product")
    ratio = base.width / base.height if base else _SHAPES[str(parameters.get("shape", "square"))]
    width, height = _frame(min(max(ratio, 1 / 3), 3.0), int(parameters.get("side", 1024)))
    own = request.prompt.strip()
    return {
        "prompt": f"{own}, {definition.words}" if own else definition.words,
        "avoid": _AVOID,
        "seed": request.seed % 2**64,
        "steps": parameters.get("steps", 25),
        "guidance": parameters.get("guidance", 6.5),
        "strength": parameters.get("strength", 1.0),
        "width": width,
        "height": height,
        **_product_place(parameters, pictures.get("product"), width, height),
    }


def _frame(ratio: float, side: int) -> tuple[int, int]:
    """Return width and height of that ratio with about `side` squared pixels, as multiples of 8 (latents)."""
    height = side / math.sqrt(ratio)
    return max(64, 8 * round(height * ratio / 8)), max(64, 8 * round(height / 8))


def _product_place(parameters: Any, product: ImageHeader | None, width: int, height: int) -> dict[str, int]:
    if product is None:
        return {"product_width": width, "product_height": height, "product_x": 0, "product_y": 0}
    wide = float(parameters.get("size", 0.4)) * width
    scale = min(wide / product.width, height / product.height)
    w, h = max(8, round(product.width * scale)), max(8, round(product.height * scale))
    x = round(float(parameters.get("across", 0.5)) * width - w / 2)
    y = round(float(parameters.get("down", 0.5)) * height - h / 2)
    return {
        "product_width": w,
        "product_height": h,
        "product_x": min(max(x, 0), width - w),
        "product_y": min(max(y, 0), height - h),
    }
