"""Constructors of a style's parameters."""

from __future__ import annotations

from vetrina.clients.engines.base import Parameter


def fraction(name: str, title: str, default: float, help: str = "") -> Parameter:
    """Return a parameter: a number from 0 to 1."""
    return Parameter(name=name, title=title, kind="number", default=default, minimum=0.0, maximum=1.0, step=0.05, help=help)


def number(name: str, title: str, default: float, low: float, high: float, step: float, help: str = "") -> Parameter:
    """Return a parameter: a number between two bounds."""
    return Parameter(
        name=name,
        title=title,
        kind="number",
        default=default,
        minimum=low,
        maximum=high,
        step=step,
        help=help,
    )


def integer(name: str, title: str, default: int, low: int, high: int, step: int = 1, help: str = "") -> Parameter:
    """Return a parameter: a whole number between two bounds."""
    return Parameter(
        name=name,
        title=title,
        kind="integer",
        default=default,
        minimum=low,
        maximum=high,
        step=step,
        help=help,
    )


def choice(name: str, title: str, choices: list[str], help: str = "") -> Parameter:
    """Return a parameter: one of some words; the first is the default."""
    return Parameter(name=name, title=title, kind="choice", default=choices[0], choices=choices, help=help)


def boolean(name: str, title: str, default: bool, help: str = "") -> Parameter:
    """Return a parameter: yes or no."""
    return Parameter(name=name, title=title, kind="boolean", default=default, help=help)
