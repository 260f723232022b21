"""The currency in which a visitor sees prices: their choice, which a cookie remembers, else that of their country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from babel.core import get_global
from babel.numbers import get_territory_currencies
from litestar import Response

from vetrina.core.web.request import Request

COOKIE = "currency"
YEAR = 31_536_000
"""Seconds that the choice is remembered."""


def choose(request: Request, offered: Sequence[str], requested: str = "") -> str:
    """Return the currency to show, one of `offered`, or "" if there is none.

    In this order: what the address asks for, what was chosen before, the currencies of the countries that Accept-Language
    names or implies, the first that is offered.
    """
    preferences = [requested, request.cookies.get(COOKIE, ""), *of_countries(request.headers.get("accept-language"))]
    return next((currency for currency in preferences if currency in offered), offered[0] if offered else "")


def remember(response: Response[Any], currency: str) -> None:
    """Set the cookie with the visitor's choice."""
    response.set_cookie(COOKIE, currency, max_age=YEAR, httponly=True, samesite="lax", path="/")


def of_countries(accept_language: str | None) -> list[str]:
    """Return the currencies of the countries in Accept-Language (RFC 9110), the preferred language's first.

    A language without a country stands for the country in which it is most spoken (CLDR): "fa" for IR.
    """
    likely = get_global("likely_subtags")
    weighted: list[tuple[float, str]] = []
    for part in (accept_language or "")[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        parts = tag.replace("_", "-").split("-")
        countries = [item.upper() for item in parts[1:] if len(item) == 2 and item.isalpha()]
        countries = countries or [item for item in likely.get(parts[0].lower(), "").split("_")[1:] if len(item) == 2]
        weighted += [(weight, country) for country in countries]
    weighted.sort(key=lambda item: -item[0])
    return [currency for _, country in weighted for currency in get_territory_currencies(country)]
