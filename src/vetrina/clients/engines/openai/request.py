"""What an OpenAI-compatible endpoint is asked for one picture."""

from __future__ import annotations

import math
from typing import Any
from uuid import uuid4

import msgspec

from vetrina.clients.engines.base import EngineRefused, EngineRequest
from vetrina.clients.engines.http import MEGABYTE, Picture, given
from vetrina.clients.engines.openai.styles import prompt_for

_PICTURES = 16  # the API's own limits for one edit
_PICTURE_BYTES = 50 * MEGABYTE
_STANDARD_SIZES = [(1024, 1024), (1536, 1024), (1024, 1536)]
_AREA = 1024 * 1536
_SHAPES = {"square": 1.0, "landscape": 1.5, "portrait": 2 / 3}


class Asked(msgspec.Struct, frozen=True):
    """One request, the same for every try: the SDK's arguments, and the Idempotency-Key."""

    arguments: dict[str, Any]
    edit: bool
    key: str


def ask(request: EngineRequest, model: str) -> Asked:
    """The SDK's arguments for `request`.

    One photograph goes as the part `image`, several as `image[]`: the form that most endpoints
    understand. Raises EngineRefused for what the endpoint could not take anyway.
    """
    prompt = prompt_for(request)
    pictures = [*request.products, *request.models]
    if len(pictures) > _PICTURES:
        raise EngineRefused(
            f"The image service takes up to {_PICTURES} photographs; you gave {len(pictures)}."
        )
    if any(len(picture) > _PICTURE_BYTES for picture in pictures):
        raise EngineRefused("A photograph is larger than the 50 MB that the image service takes.")
    roles = ["product"] * len(request.products) + ["model"] * len(request.models)
    names = [f"{role}-{number}" for number, role in enumerate(roles, 1)]
    headers = given(dict(zip(names, pictures, strict=True)))
    arguments: dict[str, Any] = {
        "model": model,
        "prompt": prompt,
        "n": 1,
        "size": _size(str(request.parameters.get("shape", "auto")), [*headers.values()], model),
        "quality": request.parameters.get("quality", "auto"),
        "output_format": request.parameters.get("format", "png"),
    }
    background = request.parameters.get("background")
    if background is not None:
        arguments["background"] = "transparent" if background == "transparent" else "opaque"
    if pictures:
        files = [
            (f"{name}.{header.suffix}", picture, header.mime)
            for (name, header), picture in zip(headers.items(), pictures, strict=True)
        ]
        arguments["image"] = files[0] if len(files) == 1 else files
    return Asked(arguments, bool(pictures), f"vetrina-{uuid4()}")


def _size(shape: str, headers: list[Picture], model: str) -> str:
    ratio = _SHAPES.get(shape) or (headers[0].width / headers[0].height if headers else 1.0)
    if shape == "auto" and headers and model.startswith("gpt-image-2"):
        # These take any multiple of 16 between 1:3 and 3:1, so the frame can be the photograph's own.
        ratio = min(max(ratio, 1 / 2.9), 2.9)
        height = math.sqrt(_AREA / ratio)
        return f"{16 * round(height * ratio / 16)}x{16 * round(height / 16)}"
    width, height = min(_STANDARD_SIZES, key=lambda size: abs(math.log(size[0] / size[1] / ratio)))
    return f"{width}x{height}"
