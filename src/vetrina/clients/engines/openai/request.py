"""The SDK call that asks an OpenAI-compatible endpoint for one picture."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec

from vetrina.clients.engines.base import EngineRefused, EngineRequest
from vetrina.clients.engines.http import MEGABYTE, ImageHeader, read_headers
from vetrina.clients.engines.openai.model_families import ModelFamily, family_of
from vetrina.clients.engines.openai.styles import prompt_for

_MAX_PHOTOGRAPH_BYTES = 50 * MEGABYTE  # the API's own limit for an edit
_RATIOS = {"square": 1.0, "landscape": 1.5, "portrait": 2 / 3}

OPTIONAL = ("n", "size", "quality", "output_format", "background", "response_format")
"""Parameters without which a picture can still be made."""


class ImageCall(msgspec.Struct, frozen=True):
    """One call, the same at every attempt: the SDK's arguments, whether it is an edit, and the Idempotency-Key."""

    arguments: dict[str, Any]
    edit: bool
    key: str

    def without(self, parameters: set[str]) -> ImageCall:
        """Return the call with those arguments left out, under a key of its own: another body is another request."""
        arguments = {name: value for name, value in self.arguments.items() if name not in parameters}
        return self if len(arguments) == len(self.arguments) else ImageCall(arguments, self.edit, _new_key())


def build_call(request: EngineRequest, model: str) -> ImageCall:
    """Return the SDK call for `request`.

    One photograph goes as the part `image`, several as `image[]`: the form that most endpoints
    understand. Raises EngineRefused for what the endpoint could not take anyway.
    """
    family = family_of(model)
    prompt = prompt_for(request)
    photographs = [*request.products, *request.models]
    _check_limits(family, model, prompt, photographs)
    roles = ["product"] * len(request.products) + ["model"] * len(request.models)
    names = [f"{role}-{number}" for number, role in enumerate(roles, 1)]
    headers = read_headers(dict(zip(names, photographs, strict=True)))
    arguments: dict[str, Any] = {"model": model, "prompt": prompt, "n": 1, **_options(request, family, [*headers.values()])}
    if photographs:
        files = [
            (f"{name}.{header.suffix}", photograph, header.mime)
            for (name, header), photograph in zip(headers.items(), photographs, strict=True)
        ]
        arguments["image"] = files[0] if len(files) == 1 else files
    return ImageCall(arguments, bool(photographs), _new_key())


def _check_limits(family: ModelFamily, model: str, prompt: str, photographs: list[bytes]) -> None:
    if photographs and not family.max_photographs:
        raise EngineRefused(f"The model {model} works from words alone. Leave the photographs out or choose another style.")
    if len(photographs) > family.max_photographs:
        noun = "photograph" if family.max_photographs == 1 else "photographs"
        raise EngineRefused(f"The image service takes up to {family.max_photographs} {noun}; you gave {len(photographs)}.")
    if any(len(photograph) > _MAX_PHOTOGRAPH_BYTES for photograph in photographs):
        raise EngineRefused("A photograph is larger than the 50 MB that the image service takes.")
    if len(prompt) > family.max_prompt:
        raise EngineRefused(f"The words are too long: the model {model} takes {family.max_prompt:,} characters.")


def _options(request: EngineRequest, family: ModelFamily, headers: list[ImageHeader]) -> dict[str, Any]:
    """Return the optional arguments that the model's family takes."""
    parameters = request.parameters
    shape = str(parameters.get("shape", "auto"))
    ratio = _RATIOS.get(shape) or (headers[0].width / headers[0].height if headers else 1.0)
    options: dict[str, Any] = {
        "size": family.size_for(ratio, exact=shape == "auto" and bool(headers)),
        "quality": family.qualities.get(str(parameters.get("quality", "auto"))),
        "output_format": parameters.get("format", "png") if family.output_format else None,
        "response_format": "b64_json" if family.response_format else None,
    }
    background = parameters.get("background")
    if background is not None and family.background:
        options["background"] = "transparent" if background == "transparent" else "opaque"
    return {name: value for name, value in options.items() if value is not None}


def _new_key() -> str:
    return f"vetrina-{uuid4()}"
