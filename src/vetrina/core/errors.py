"""Refusals: expected errors, each with an HTTP status and, often, the database constraint that enforces it.

A refusal is a class; its docstring is the message shown to users. A constraint's name states a fact (`wallet_not_overdrawn`);
naming it here maps the database's error to the refusal in one place.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from vetrina.web.i18n import say


class Refusal(Exception):
    """This cannot be done."""

    status: ClassVar[int] = 400
    constraint: ClassVar[str | None] = None
    field: ClassVar[str | None] = None
    """The form field beside which the message is shown."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Additional headers of the response."""

    _by_constraint: ClassVar[dict[str, type[Refusal]]] = {}
    _by_code: ClassVar[dict[str, type[Refusal]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for registry, name in ((Refusal._by_constraint, cls.__dict__.get("constraint")), (Refusal._by_code, cls.code())):
            if name is None:
                continue
            if name in registry and registry[name].__qualname__ != cls.__qualname__:
                raise TypeError(f"{name} already belongs to {registry[name].__name__}")
            registry[name] = cls

    def __init__(self, message: str | None = None, *, values: dict[str, object] | None = None, **details: Any) -> None:
        """Refuse with the class's message or another one, `{name}` in it filled in from `values`; `details` go to clients."""
        self._source = message or self.standard_message()
        self._values = values or {}
        self.details = details
        super().__init__(self._source.format(**self._values) if self._values else self._source)

    @classmethod
    def standard_message(cls) -> str:
        """Return the message of the class, in English."""
        return (inspect.getdoc(cls) or "This cannot be done.").split("\n\n")[0].replace("\n", " ")

    @property
    def message(self) -> str:
        """The message in the current language."""
        return say(self._source, **self._values)

    def response_headers(self) -> dict[str, str]:
        """Return the headers of the response; 429 and 503 always carry Retry-After."""
        return {**({"Retry-After": "2"} if self.status in {429, 503} else {}), **self.headers}

    @classmethod
    def code(cls) -> str:
        """Return the refusal's code for API clients: InsufficientCredits -> insufficient-credits."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def problem(self) -> dict[str, Any]:
        """Return the RFC 9457 body; details are extension members."""
        title = re.sub(r"-", " ", self.code()).capitalize()
        body: dict[str, Any] = {"type": f"urn:vetrina:{self.code()}", "title": title, "status": self.status}
        return {**body, "detail": self.message, **({"field": self.field} if self.field else {}), **self.details}


def for_constraint(name: str | None) -> Refusal | None:
    """Return the refusal of a violated constraint, or None if it has none."""
    refusal = Refusal._by_constraint.get(name or "")  # pyright: ignore[reportPrivateUsage]
    return refusal() if refusal else None


def for_code(code: str, message: str | None = None, **details: Any) -> Refusal:
    """Return the refusal with this code, as a database function returns it. Raises KeyError for an unknown code."""
    return Refusal._by_code[code](message, **details)  # pyright: ignore[reportPrivateUsage]


def constraints() -> dict[str, type[Refusal]]:
    """Return every constraint with a refusal; a test compares it with the catalogue."""
    return dict(Refusal._by_constraint)  # pyright: ignore[reportPrivateUsage]


class NotFound(Refusal):
    """Not found."""

    status = 404


class Unauthenticated(Refusal):
    """Sign in first."""

    status = 401


class Forbidden(Refusal):
    """You do not have permission."""

    status = 403


class Invalid(Refusal):
    """The input is invalid."""

    status = 422


class Malformed(Refusal):
    """The request cannot be read."""

    status = 400


class JsonRequired(Refusal):
    """Send the body as JSON, with Content-Type: application/json."""

    status = 415


class TooLarge(Refusal):
    """The request is too large."""

    status = 413


class Busy(Refusal):
    """The server is busy. Please try again in a moment."""

    status = 429


class Unavailable(Refusal):
    """This service is temporarily unavailable."""

    status = 503


class KeyInUse(Refusal):
    """A request with this Idempotency-Key is still being processed."""

    status = 409


class KeyReused(Refusal):
    """This Idempotency-Key was used before with a different request."""

    status = 422
