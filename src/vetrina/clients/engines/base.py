"""The interface of every image engine.

An engine turns a request (a style, words, photographs, a seed) into encoded images. It either
returns a result, refuses for good (`EngineRefused`), or is unavailable for now (`EngineUnavailable`). Cancelling
the task that awaits `generate` stops the work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

Value = float | int | str | bool
"""Value of a parameter: a number, a choice, a boolean, or a colour `#rrggbb`."""

Progress = Callable[[float, str], Awaitable[None]]
"""Takes the fraction done (0 to 1, never falling) and the current step's name."""

Kind = Literal["number", "integer", "choice", "boolean", "colour"]


class EngineRequest(msgspec.Struct, frozen=True):
    """One request for a picture.

    `products` and `models` are encoded PNG, JPEG or WebP, upright and sRGB; a product may have an
    alpha channel. `parameters` are the result of `validate`.
    """

    style: str
    prompt: str
    parameters: dict[str, Value]
    seed: int
    products: list[bytes]
    models: list[bytes]


class EngineResult(msgspec.Struct, frozen=True):
    """The finished pictures, all of the media type `mime`, and facts about the run."""

    images: list[bytes]
    mime: str
    notes: dict[str, Any]


class EngineRefused(Exception):
    """The request cannot be fulfilled, and a retry does not help; `message` is for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EngineUnavailable(Exception):
    """Timeout, overload or network failure: may be retried; `message` is for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Engine(Protocol):
    """An image engine."""

    name: str

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        """Make the pictures, reporting every real step to `progress`.

        Raises EngineRefused or EngineUnavailable. Cancelling the awaiting task ends the work.
        """
        ...


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a style. `minimum` and `maximum` are inclusive; `choices` are for kind choice."""

    name: str
    title: str
    kind: Kind
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: list[str] = []
    help: str = ""


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """A style of pictures, with its parameters and the photographs that it requires.

    `needs_picture`: at least one photograph, of a product or a model. `process`: what makes the pixels, a trained network, an
    algorithm without one, or the composition of photographs.
    """

    name: str
    title: str
    description: str
    engine: str
    parameters: list[Parameter] = []
    needs_product: bool = False
    needs_model: bool = False
    needs_picture: bool = False
    process: Literal["network", "algorithm", "composition"] = "network"
    hint: str = ""
    """What goes where, for styles whose pictures have other roles than product and scene."""


class BadParameter(ValueError):
    """A parameter that the style does not have, or an invalid value; `name` is the parameter's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def validate(style: Style, parameters: Mapping[str, object]) -> dict[str, Value]:
    """Return all of the style's parameters: the given ones, checked, and defaults for the others.

    Raises BadParameter for an unknown name, a wrong type or a value out of range.
    """
    declared = {parameter.name: parameter for parameter in style.parameters}
    for name in parameters:
        if name not in declared:
            raise BadParameter(name, f"{style.title} has no parameter called {name!r}.")
    return {
        name: _checked(parameter, parameters[name]) if name in parameters else parameter.default
        for name, parameter in declared.items()
    }


def _checked(parameter: Parameter, value: object) -> Value:
    match parameter.kind:
        case "number" | "integer":
            return _number(parameter, value)
        case "boolean":
            if isinstance(value, bool):
                return value
            raise _bad(parameter, "must be true or false")
        case "choice":
            if isinstance(value, str) and value in parameter.choices:
                return value
            raise _bad(parameter, f"must be one of {', '.join(parameter.choices)}")
        case "colour":
            if isinstance(value, str) and len(value) == 7 and value[0] == "#" and _is_hex(value[1:]):
                return value.lower()
            raise _bad(parameter, "must be a colour such as #c0392b")


_LARGEST = 1e15  # also refuses infinity, NaN and integers that no float can hold


def _number(parameter: Parameter, value: object) -> Value:
    integer = parameter.kind == "integer"
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise _bad(parameter, f"must be a {'integer ' if integer else ''}number")
    if integer and value != int(value):
        raise _bad(parameter, "must be a whole number")
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise _bad(parameter, f"must be between {_short(low)} and {_short(high)}")
    return int(value) if integer else float(value)


def _short(bound: float | None) -> str:
    return "any number" if bound is None else f"{bound:g}"


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)


def _bad(parameter: Parameter, problem: str) -> BadParameter:
    return BadParameter(parameter.name, f"{parameter.title} {problem}.")
