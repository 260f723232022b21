"""The small interface behind which every image engine stands.

An engine turns a request (a style, words, photographs, a seed) into encoded images. It either
answers, refuses for good (`EngineRefused`), or is away for now (`EngineUnavailable`). Cancelling
the task that awaits `generate` stops the work behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

Value = float | int | str | bool
"""What a parameter may hold: a number, a word of a choice, a yes or no, or a colour `#rrggbb`."""

Progress = Callable[[float, str], Awaitable[None]]
"""Takes the fraction done (0 to 1, never falling) and the present step's name in plain words."""

Kind = Literal["number", "integer", "choice", "boolean", "colour"]


class EngineRequest(msgspec.Struct, frozen=True):
    """One picture asked for.

    `products` and `models` are encoded PNG, JPEG or WebP, upright and sRGB; a product may have an
    alpha channel. `parameters` have been through `validate`.
    """

    style: str
    prompt: str
    parameters: dict[str, Value]
    seed: int
    products: list[bytes]
    models: list[bytes]


class EngineResult(msgspec.Struct, frozen=True):
    """The finished pictures, all of the media type `mime`, and what is worth knowing of the run."""

    images: list[bytes]
    mime: str
    notes: dict[str, Any]


class EngineRefused(Exception):
    """The engine will not do this, however often it is asked; `message` is for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EngineUnavailable(Exception):
    """Time-out, overload or network trouble: may be tried again; `message` is for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Engine(Protocol):
    """What makes pictures."""

    name: str

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        """Make the pictures, telling `progress` of every real step.

        Raises EngineRefused or EngineUnavailable. Cancelling the awaiting task ends the work.
        """
        ...


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One knob of a style. `minimum` and `maximum` are inclusive; `choices` are for kind choice."""

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
    """A way of making a picture, with its knobs and the photographs that it cannot do without.

    `needs_picture`: any one will do, a product or a model.
    """

    name: str
    title: str
    description: str
    engine: str
    parameters: list[Parameter] = []
    needs_product: bool = False
    needs_model: bool = False
    needs_picture: bool = False


class BadParameter(ValueError):
    """A parameter that the style does not know or cannot take; `name` says which."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def validate(style: Style, parameters: Mapping[str, object]) -> dict[str, Value]:
    """The style's parameters in full: what was given, checked, and defaults for the rest.

    Raises BadParameter for an unknown name, a wrong type or a value out of range.
    """
    known = {parameter.name: parameter for parameter in style.parameters}
    for name in parameters:
        if name not in known:
            raise BadParameter(name, f"{style.title} has no parameter called {name!r}.")
    return {
        name: _checked(parameter, parameters[name]) if name in parameters else parameter.default
        for name, parameter in known.items()
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
    whole = parameter.kind == "integer"
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise _bad(parameter, f"must be a {'whole ' if whole else ''}number")
    if whole and value != int(value):
        raise _bad(parameter, "must be a whole number")
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise _bad(parameter, f"must be between {_short(low)} and {_short(high)}")
    return int(value) if whole else float(value)


def _short(bound: float | None) -> str:
    return "any number" if bound is None else f"{bound:g}"


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)


def _bad(parameter: Parameter, complaint: str) -> BadParameter:
    return BadParameter(parameter.name, f"{parameter.title} {complaint}.")
