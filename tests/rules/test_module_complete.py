"""Completeness of a module: its MODULE object, schema, tests, labels and documentation."""

from __future__ import annotations

import ast
import importlib

from tests.rules.catalogue import Catalogue
from tests.rules.code import ROOT, SOURCE, trees
from vetrina.modules import CORE, MODULES

SILENT = {"stripe_mirror": "its API is a webhook; a page links customers"}
"""Modules without rows in tests/access, and why."""


def recorded(name: str) -> set[str]:
    """Return the actions that the module's Python files write to the audit log and the usage record."""
    result: set[str] = set()
    for path, tree in trees().items():
        if path.startswith(f"{name}/"):
            for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
                if ast.unparse(call.func) in {"usage.record", "audit.record"}:
                    result |= {
                        argument.value
                        for argument in call.args
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                    }
    return result


def lacking(name: str, catalogue: Catalogue) -> list[str]:
    """Return what the module lacks, as messages for its author."""
    module = next((item for item in MODULES if item.name == name), None)
    labels = importlib.import_module(module.labels) if module and module.labels else None
    titles = {action for table in ("AUDIT", "USAGE") for action in getattr(labels, table, {})}
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    body = {
        f"MODULE in src/vetrina/{name}/__init__.py, listed in src/vetrina/modules.py": module is not None,
        f"a schema {name} in migrations/": any(table.startswith(f"{name}.") for table in catalogue.columns),
        f"tests in tests/{name}/": any((ROOT / "tests" / name).rglob("test_*.py")),
        f"rows in tests/access/{name}.py": name in SILENT or (ROOT / "tests/access" / f"{name}.py").exists(),
        "personal_data in MODULE": bool(module and module.personal_data),
        "pages in MODULE": bool(module and module.pages),
        f"its place in docs/architecture.md: src/vetrina/{name}/": f"src/vetrina/{name}/" in page,
        **{f"a title for the action {action} in its labels": action in titles for action in sorted(recorded(name))},
    }
    return [what for what, there in body.items() if not there]


def test_no_module_lacks_anything(catalogue: Catalogue) -> None:
    folders = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    names = [name for name in folders if f"{name}/__init__.py" in trees() and _has_module(name)]
    assert {CORE.name, "demo", *(module.name for module in MODULES)} == set(names)
    assert {module.name: result for module in MODULES if (result := lacking(module.name, catalogue))} == {}


def _has_module(name: str) -> bool:
    return any("MODULE" in ast.unparse(node) for node in trees()[f"{name}/__init__.py"].body if isinstance(node, ast.Assign))


def test_missing_parts_of_a_new_module_are_listed(catalogue: Catalogue) -> None:
    result = lacking("shop", catalogue)
    assert len(result) == 7 and result[0].startswith("MODULE in src/vetrina/shop/__init__.py")
