"""Refusals: what the product says no to, each with an HTTP status and, often, the constraint that decides it.

A refusal is a class; its docstring is what a person reads. A constraint's name is a fact
(`wallet_not_overdrawn`); naming it here turns the database's error into the refusal, in one place.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class Refusal(Exception):
    """This cannot be done."""

    status: ClassVar[int] = 400
    constraint: ClassVar[str | None] = None
    field: ClassVar[str | None] = None
    """The form field that the message belongs beside."""
    headers: Mapping[str, str] = MappingProxyType({})
    """What the answer's headers tell besides."""

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

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or (inspect.getdoc(type(self)) or "This cannot be done.").split("\n\n")[0].replace("\n", " ")
        self.details = details
        super().__init__(self.message)

    def response_headers(self) -> dict[str, str]:
        """Return the headers of the response; 429 and 503 always carry Retry-After."""
        return {**({"Retry-After": "2"} if self.status in {429, 503} else {}), **self.headers}

    @classmethod
    def code(cls) -> str:
        """The refusal's name for programs: InsufficientCredits -> insufficient-credits."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def problem(self) -> dict[str, Any]:
        """The RFC 9457 body; details are extension members."""
        title = re.sub(r"-", " ", self.code()).capitalize()
        body: dict[str, Any] = {"type": f"urn:vetrina:{self.code()}", "title": title, "status": self.status}
        return {**body, "detail": self.message, **({"field": self.field} if self.field else {}), **self.details}


def for_constraint(name: str | None) -> Refusal | None:
    """The refusal that a violated constraint stands for, or None if nobody has named it."""
    found = Refusal._by_constraint.get(name or "")  # pyright: ignore[reportPrivateUsage]
    return found() if found else None


def for_code(code: str, message: str | None = None, **details: Any) -> Refusal:
    """The refusal with this code, as a database function returns it. Raises KeyError for an unknown code."""
    return Refusal._by_code[code](message, **details)  # pyright: ignore[reportPrivateUsage]


def constraints() -> dict[str, type[Refusal]]:
    """Every constraint with a refusal; a test holds it against the catalogue."""
    return dict(Refusal._by_constraint)  # pyright: ignore[reportPrivateUsage]


class NotFound(Refusal):
    """There is nothing here by that name."""

    status = 404


class Unauthenticated(Refusal):
    """Sign in first."""

    status = 401


class Forbidden(Refusal):
    """This is not yours to do."""

    status = 403


class Invalid(Refusal):
    """This does not fit what is expected here."""

    status = 422


class Malformed(Refusal):
    """This cannot be read."""

    status = 400


class TooLarge(Refusal):
    """This is too large."""

    status = 413


class Busy(Refusal):
    """There is too much to do just now. Please try again in a moment."""

    status = 429


class Unavailable(Refusal):
    """This part is not available just now."""

    status = 503


class KeyInUse(Refusal):
    """A request with this Idempotency-Key is still being worked on."""

    status = 409


class KeyReused(Refusal):
    """This Idempotency-Key was used before with another request."""

    status = 422
