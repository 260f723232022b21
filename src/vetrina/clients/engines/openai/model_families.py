"""What each family of image models takes: sizes, qualities, optional parameters, photographs.

Sources: for `gpt-image-*` and `chatgpt-image-*` the parameters' descriptions in the official SDK (openai 3.52,
`types/image_generate_params.py`, `types/image_edit_params.py`); for `dall-e-*`, retired at OpenAI in 2026 and
still the name of models at other services, the same files of openai 1.x and Azure's images reference; for
`grok-*image*` xAI's image generation guide (no `size`, no `quality`; they answer "Argument not supported").
A server that differs refuses the parameter by name, and the engine then leaves it out.
"""

from __future__ import annotations

import math
import re

import msgspec

Size = tuple[int, int]

_STANDARD_SIZES: tuple[Size, ...] = ((1024, 1024), (1536, 1024), (1024, 1536))
_GPT_QUALITIES = {"auto": "auto", "low": "low", "medium": "medium", "high": "high"}
_AREA = 1024 * 1536


class ModelFamily(msgspec.Struct, frozen=True, kw_only=True):
    """Models that take the same parameters.

    `pattern` matches the beginning of a model's name. `sizes` is empty where `size` is not a parameter;
    `free_size` takes any multiple of 16 between 1:3 and 3:1. `qualities` maps a style's quality to the
    family's word for it; a missing one is not sent. `max_photographs` 0 means that there are no edits.
    """

    pattern: str
    sizes: tuple[Size, ...] = _STANDARD_SIZES
    free_size: bool = False
    qualities: dict[str, str] = {}
    output_format: bool = False
    background: bool = False
    response_format: bool = False
    streaming: bool = False
    max_photographs: int = 16
    max_prompt: int = 32_000

    def size_for(self, ratio: float, *, exact: bool) -> str | None:
        """Return the `size` closest to the ratio of width to height; with `exact` that very ratio if it can be had."""
        if not self.sizes:
            return None
        if exact and self.free_size:
            ratio = min(max(ratio, 1 / 2.9), 2.9)
            height = math.sqrt(_AREA / ratio)
            return f"{16 * round(height * ratio / 16)}x{16 * round(height / 16)}"
        # Of equally close ones the largest: dall-e-2 has three squares.
        width, height = min(self.sizes, key=lambda size: (abs(math.log(size[0] / size[1] / ratio)), -size[0]))
        return f"{width}x{height}"


FAMILIES = (
    ModelFamily(
        pattern=r"gpt-image-[2-9]",
        free_size=True,
        qualities=_GPT_QUALITIES,
        output_format=True,
        background=True,
        streaming=True,
    ),
    ModelFamily(
        pattern=r"(chat)?gpt-image-",
        qualities=_GPT_QUALITIES,
        output_format=True,
        background=True,
        streaming=True,
    ),
    ModelFamily(
        pattern=r"dall-e-3",
        sizes=((1024, 1024), (1792, 1024), (1024, 1792)),
        qualities={"low": "standard", "medium": "standard", "high": "hd"},
        response_format=True,
        max_photographs=0,
        max_prompt=4000,
    ),
    ModelFamily(
        pattern=r"dall-e-2",
        sizes=((256, 256), (512, 512), (1024, 1024)),
        response_format=True,
        max_photographs=1,
        max_prompt=1000,
    ),
    ModelFamily(pattern=r"grok-.*image", sizes=(), response_format=True),
)

OTHER = ModelFamily(
    pattern="",
    qualities={"low": "low", "medium": "medium", "high": "high"},
    output_format=True,
    background=True,
    response_format=True,
    streaming=True,
)
"""For models that are not in the table: every parameter is sent, and refused ones are left out."""


def family_of(model: str) -> ModelFamily:
    """Return the family of a model; a provider's prefix (`openai/gpt-image-2`) does not count."""
    name = model.rpartition("/")[2].lower()
    return next((family for family in FAMILIES if re.match(family.pattern, name)), OTHER)
