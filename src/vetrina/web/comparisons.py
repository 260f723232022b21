"""Comparisons in templates: an identifier (UUID) compared with text is an error, as an undefined name is.

Both spell the same id, but Python finds them unequal: a chosen picture would silently be shown as not chosen.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from typing import Any, cast
from uuid import UUID

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "in": lambda item, items: item in items,
    "notin": lambda item, items: item not in items,
}
TESTS = {"eq": "eq", "==": "eq", "equalto": "eq", "ne": "ne", "!=": "ne", "in": "in"}
"""Jinja's names of tests that compare, such as that of `selectattr("id", "equalto", chosen)`."""


class MixedComparison(TypeError):
    """A template compares a UUID with text."""


def compare(name: str, left: Any, right: Any) -> bool:
    """Return the result of a comparison (eq, ne, in, notin). Raises MixedComparison for a UUID and text."""
    items: Collection[Any] = (right,)
    if name in {"in", "notin"}:
        items = cast("Collection[Any]", right) if isinstance(right, Collection) and not isinstance(right, str | bytes) else ()
    if isinstance(left, UUID | str) and any(_mixed(left, item) for item in items):
        raise MixedComparison(f"{left!r} is compared with {right!r}: use one type for an id, from the form to the template")
    return _COMPARE[name](left, right)


def _mixed(left: Any, right: Any) -> bool:
    return isinstance(left, UUID) is not isinstance(right, UUID) and isinstance(left, str) is not isinstance(right, str)


def test_of(name: str) -> Callable[[Any, Any], bool]:
    """Return the comparison as a Jinja test."""
    return lambda left, right: compare(name, left, right)


class Comparisons(CodeGenerator):
    """Compiles `==`, `!=`, `in` and `not in` to calls of `compare`."""

    @optimizeconst
    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        """Compile a comparison; a chain of several is compiled as Jinja does."""
        if len(node.ops) != 1 or node.ops[0].op not in _COMPARE:
            super().visit_Compare(node, frame)
            return
        self.write(f"environment.compare({node.ops[0].op!r}, ")
        self.visit(node.expr, frame)
        self.write(", ")
        self.visit(node.ops[0].expr, frame)
        self.write(")")
