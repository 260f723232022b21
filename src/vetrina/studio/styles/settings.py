"""Checks of what a picture is to be made with: words, seed and the style's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vetrina.clients.engines.base import BadParameter, Style, validate
from vetrina.core.errors import Invalid
from vetrina.studio.model import PROMPT_LIMIT, SEED_LIMIT, InvalidParameters, PromptTooLong


def check_settings(style: Style, *, prompt: str, seed: int | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with the style's defaults. Raises PromptTooLong, Invalid, InvalidParameters (422)."""
    if len(prompt) > PROMPT_LIMIT:
        raise PromptTooLong
    if "\0" in prompt:
        raise Invalid("The words contain a character that cannot be stored (U+0000).")
    if seed is not None and not 0 <= seed < SEED_LIMIT:
        raise Invalid("A seed is a whole number from 0 to 9007199254740991.", field="seed")
    try:
        return dict(validate(style, parameters))
    except BadParameter as bad:
        raise InvalidParameters(bad.message, field=f"parameters.{bad.name}") from None
