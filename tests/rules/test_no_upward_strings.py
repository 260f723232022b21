"""No string of a lower package names a path, a schema, a job or an action of a module above it.

Imports upwards are held by the contracts in pyproject.toml. A string does not show there: a path in a link, a schema in a
statement, a job's name, an action's title.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.rules.code import SOURCE, everything, step, trees
from vetrina.core.jobs import queue
from vetrina.modules import CORE, MODULES

LOWER = ("web", "core", "clients", *(module.name for module in MODULES))

ALLOWED = {
    ("core", "accounts.accounts"): "the outbox deletes the letters to an account's addresses, which only accounts knows",
    ("core", "/@"): "addresses with a handle are rewritten before they are routed",
    ("clients", "email_verified"): "a claim of OpenID Connect, which has the name of an action of ours",
    ("web", "/service-worker.js"): "the service worker and the scripts that register it are served with all static files",
    ("web", "/offline"): "the service worker is served with all static files",
    ("web", "/notifications"): "the service worker is served with all static files",
    ("web", "/library"): "the library's script is served with all static files",
    ("web", "/api/v1/files"): "the library's script is served with all static files",
}
"""What is named upwards all the same: package and text to reason."""


@cache
def paths() -> dict[str, str]:
    """Return paths of pages and calls up to their first parameter, with the module that serves them."""
    result: dict[str, str] = {}
    for module in (CORE, *MODULES):
        for prefix, routes in (("/api/v1", module.api_routes()), ("", module.page_routes())):
            for route in routes:
                for path in route.paths:
                    fixed = (prefix + path).partition("{")[0].rstrip("/")
                    result.setdefault(fixed, module.name)
    return result


def owner(path: str) -> str | None:
    """Return the module that serves a path or its longest prefix."""
    path = path.rstrip("/")
    while path:
        if path in paths():
            return paths()[path]
        path = path.rpartition("/")[0]
    return None


@cache
def actions() -> dict[str, str]:
    """Return labelled audit and usage actions with their module."""
    return {
        action: module.name
        for module in MODULES
        if module.labels
        for name in ("AUDIT", "USAGE")
        for action in getattr(importlib.import_module(module.labels), name, {})
    }


def upward(package: str, text: str) -> Iterator[str]:
    """Yield what a package's string names of modules above it."""
    everything()
    above = {module.name for module in MODULES if module.name != package and step(module.name) >= step(package)}
    for path in re.findall(r"""(?<![\w.}/:<*-])/[a-z@][\w/.@-]*""", text):
        if owner(path) in above:
            yield path.rstrip("/")
    for schema, table in re.findall(r"\b([a-z_]+)\.([a-z_]+)\b(?!\()", text):
        if schema in above and re.search(rf"\b(?:from|join|using|into|update|references)\s+{schema}\.{table}\b", text, re.I):
            yield f"{schema}.{table}"
    if text in queue.app.tasks and text.partition(".")[0] in above:
        yield text
    if actions().get(text) in above:
        yield text


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield a file's string constants except docstrings, with their lines."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.lineno, node.value


def leaks(files: dict[str, ast.Module]) -> list[str]:
    """Return strings of lower packages that name something of an upper one: file, line, text."""
    return [
        f"{path}:{line}: {name}"
        for path, tree in files.items()
        if (package := path.partition("/")[0]) in LOWER
        for line, text in strings(tree)
        for name in upward(package, text)
        if (package, name) not in ALLOWED
    ]


def test_strings_name_nothing_of_upper_modules() -> None:
    assert leaks(trees()) == []


def test_templates_and_scripts_name_nothing_of_upper_modules() -> None:
    result: list[str] = []
    for path in [*SOURCE.rglob("templates/**/*.html"), *(SOURCE / "web/static/js").rglob("*.js")]:
        package = path.relative_to(SOURCE).parts[0]
        text = re.sub(r"\{#.*?#\}|^\s*//.*?$", "", path.read_text("utf-8"), flags=re.S | re.M)
        if package in LOWER:
            names = [name for name in upward(package, text) if (package, name) not in ALLOWED]
            names += [name for name in re.findall(r"(?:from|include|extends) \"(\w+)/", text) if _stands_above(name, package)]
            result += [f"{path.relative_to(SOURCE)}: {name}" for name in names]
    assert result == []


def _stands_above(name: str, package: str) -> bool:
    """Return whether a package may not use the templates of module `name`."""
    return name in {module.name for module in MODULES if module.name != package} and step(name) >= step(package)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("core/web/planted.py", "LINK = '/wallet/buy'"),
        ("accounts/planted.py", "SQL = 'select 1 from studio.generations'"),
        ("wallet/planted.py", "JOB = 'payments.stripe_event'"),
        ("accounts/planted.py", "TITLES = {'generation_failed': 'Failed'}"),
        ("media/planted.py", "HREF = f'/payments/{1}'"),
    ],
)
def test_planted_violation_is_detected(path: str, source: str) -> None:
    assert len(leaks({path: ast.parse(source)})) == 1
    assert leaks({path: ast.parse(f'"""{source}"""')}) == [], "a docstring may name it"


def test_each_exception_is_needed() -> None:
    named = {(path.partition("/")[0], name) for path, tree in trees().items() for _, text in strings(tree)
             if (package := path.partition("/")[0]) in LOWER for name in upward(package, text)}  # fmt: skip
    scripts = "".join(path.read_text("utf-8") for path in (SOURCE / "web/static/js").glob("*.js"))
    assert set(ALLOWED) <= named | {("web", name) for name in upward("web", scripts)}
