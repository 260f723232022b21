"""Messages that are declared without a mark: refusals, labels, places of the navigation, settings, styles.

They are translated where they are shown; here they are found, so that the catalogues have them.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from vetrina.clients.engines.builtin import catalogue as builtin
from vetrina.clients.engines.cutting import catalogue as cutting
from vetrina.clients.engines.neural import catalogue as neural
from vetrina.core.errors import Refusal
from vetrina.core.module import ErrorPage, LedgerSubject, NotificationKind, Place
from vetrina.modules import CORE, MODULES
from vetrina.reports.catalogue import REPORTS

SOURCE = Path(inspect.getfile(import_module("vetrina"))).parent
_OURS = ("vetrina.demo", "vetrina.commands")
"""Packages whose words no page shows."""


def collect() -> set[str | tuple[str, str]]:
    """Return the messages of refusals, of labels, and of what the modules declare."""
    texts = (*_refusals(), *_raised(), *_labels(), *_declared(), *_reports(), *_styles())
    plurals = {kind.many for module in MODULES for kind in module.notifications if kind.many[0]}
    return {text for text in texts if any(letter.isalpha() for letter in text)} | plurals


def _refusals() -> Iterator[str]:
    import_all()
    for kind in _subclasses(Refusal):
        if not kind.__module__.startswith(_OURS):
            yield kind.standard_message()


def _subclasses(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _subclasses(child)


def import_all() -> None:
    """Import every module of the source, so that all refusals are known."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE.parent).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        if not name.endswith("__main__") and not name.startswith(_OURS):
            import_module(name)


def _raised() -> Iterator[str]:
    """Find messages given where a refusal is made: `Invalid("Choose one.")`."""
    names = {kind.__name__ for kind in _subclasses(Refusal)}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = (
                node.func.id
                if isinstance(node.func, ast.Name)
                else node.func.attr
                if isinstance(node.func, ast.Attribute)
                else ""
            )
            first = node.args[0]
            if called in names and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _labels() -> Iterator[str]:
    for path in sorted([*SOURCE.glob("*/labels.py"), *SOURCE.glob("*/*/labels.py")]):
        module = import_module(path.relative_to(SOURCE.parent).with_suffix("").as_posix().replace("/", "."))
        for name, value in vars(module).items():
            if name.isupper() and not name.startswith("_"):
                yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _texts(item)


def _declared() -> Iterator[str]:
    for module in (CORE, *MODULES):
        for _, items in inspect.getmembers(module, lambda value: isinstance(value, tuple)):
            for item in items:
                match item:
                    case Place():
                        yield from (item.title, item.about)
                    case ErrorPage():
                        yield from (item.title, item.action)
                    case LedgerSubject():
                        yield from (item.spent_on, item.named, *(text for _, text in item.reasons))
                    case NotificationKind():
                        yield from (item.title, item.one)
                    case _:
                        pass


def _reports() -> Iterator[str]:
    for report in REPORTS.values():
        yield from (report.title, report.about, *report.counts)
        for column in report.columns:
            yield from (column.title, column.about)


def _styles() -> Iterator[str]:
    """The styles drawn and painted here; those of other engines are an operator's own, or a model's."""
    for style in (*builtin.STYLES, *cutting.STYLES, *neural.STYLES):
        yield from (style.title, style.description, style.hint or "")
        for parameter in style.parameters:
            yield from (parameter.title, parameter.help or "")
            yield from (choice.replace("_", " ") for choice in parameter.choices or ())
