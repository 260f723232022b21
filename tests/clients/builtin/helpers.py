"""Helpers of the built-in engine's tests: small real photographs, cached rendering, decoding."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from vetrina.clients.engines.builtin.catalogue import BY_NAME
from vetrina.clients.engines.builtin.render import PHOTO_STYLES, render
from vetrina.clients.engines.networks.models import read_all
from vetrina.demo.photos import path_of

Picture = npt.NDArray[Any]
SIZE = 480


@functools.cache
def photo(name: str, long_side: int = SIZE) -> bytes:
    """Return a demo photograph, scaled, as PNG."""
    small = pyvips.Image.thumbnail(str(path_of(name)), long_side, height=long_side)
    return small.pngsave_buffer(compression=1)


def decode_array(data: bytes) -> Picture:
    """Decode an image to 0 to 1."""
    return pyvips.Image.new_from_buffer(data, "").numpy().astype(np.float32) / 255


def png(picture: Picture) -> bytes:
    """Encode 0 to 1 as PNG: grey, colour or with alpha, by its shape."""
    return pyvips.Image.new_from_array(np.clip(picture * 255, 0, 255).astype(np.uint8)).pngsave_buffer()


@functools.cache
def render_default(style: str, seed: int = 7, repeat: int = 0) -> tuple[bytes, tuple[tuple[float, str], ...]]:
    """Return the style at 480 pixels with its defaults, and its progress. Another `repeat` renders it again."""
    steps: list[tuple[float, str]] = []
    definition = BY_NAME[style]
    result = render(
        {
            "style": style,
            "parameters": {"size": SIZE},
            "seed": seed,
            "products": [photo("coffee")] if definition.needs_product else [],
            "models": [photo("dogs")] if style in PHOTO_STYLES or definition.needs_model else [],
            "networks": read_all(),
        },
        lambda fraction, name: steps.append((fraction, name)),
    )
    return result["images"][0], tuple(steps)


def render_image(
    style: str, *, products: list[bytes] | None = None, models: list[bytes] | None = None, **parameters: Any
) -> Picture:
    """Render one picture of these photographs."""
    payload = {
        "style": style,
        "parameters": {"size": SIZE, **parameters},
        "seed": 3,
        "products": products or [],
        "models": models or [],
        "networks": read_all(),
    }
    return decode_array(render(payload, lambda fraction, name: None)["images"][0])
