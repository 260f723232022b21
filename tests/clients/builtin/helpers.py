"""What the tests of the built-in engine share: real photographs, small; rendering once a request; looking."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from vetrina.clients.engines.builtin.catalogue import BY_NAME
from vetrina.clients.engines.builtin.render import PHOTO_STYLES, render
from vetrina.demo.photos import path_of

Picture = npt.NDArray[Any]
SIZE = 480


@functools.cache
def photo(name: str, long_side: int = SIZE) -> bytes:
    """A demo photograph, scaled, as PNG."""
    small = pyvips.Image.thumbnail(str(path_of(name)), long_side, height=long_side)
    return small.pngsave_buffer(compression=1)


def look(data: bytes) -> Picture:
    """Encoded image as 0 to 1."""
    return pyvips.Image.new_from_buffer(data, "").numpy().astype(np.float32) / 255


def png(picture: Picture) -> bytes:
    """0 to 1 as PNG: grey, colour or with alpha, by its shape."""
    return pyvips.Image.new_from_array(np.clip(picture * 255, 0, 255).astype(np.uint8)).pngsave_buffer()


@functools.cache
def made(style: str, seed: int = 7, again: int = 0) -> tuple[bytes, tuple[tuple[float, str], ...]]:
    """The style at 480 pixels with its defaults, and the progress that it told. `again` makes it anew."""
    steps: list[tuple[float, str]] = []
    wants = BY_NAME[style]
    answer = render(
        {
            "style": style,
            "parameters": {"size": SIZE},
            "seed": seed,
            "products": [photo("coffee")] if wants.needs_product else [],
            "models": [photo("dogs")] if style in PHOTO_STYLES or wants.needs_model else [],
        },
        lambda fraction, name: steps.append((fraction, name)),
    )
    return answer["images"][0], tuple(steps)


def rendered(
    style: str, *, products: list[bytes] | None = None, models: list[bytes] | None = None, **parameters: Any
) -> Picture:
    """One picture of these photographs."""
    payload = {
        "style": style,
        "parameters": {"size": SIZE, **parameters},
        "seed": 3,
        "products": products or [],
        "models": models or [],
    }
    return look(render(payload, lambda fraction, name: None)["images"][0])
