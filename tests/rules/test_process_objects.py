"""Objects that a process has one of are classes with `provide`, declared in their module's MODULE, and got by class."""

from __future__ import annotations

import ast
import importlib
import json

import pytest

from tests.rules.code import trees
from tests.rules.test_modules_declared import ALL, dotted
from vetrina.commands.doctor import doctor
from vetrina.core.services import Services
from vetrina.core.settings.environment import BadSetting, read
from vetrina.modules import connect


def declared() -> set[str]:
    """Return the classes that the modules declare, as "vetrina.file:Class"."""
    return {target for module in ALL for target in module.services}


def provided(files: dict[str, ast.Module]) -> set[str]:
    """Return the classes with a `provide` in these files; except the protocol itself."""
    return {
        f"{dotted(path)}:{node.name}"
        for path, tree in files.items()
        if path != "core/services.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(item, ast.FunctionDef) and item.name == "provide" for item in node.body)
    }


def requested(files: dict[str, ast.Module]) -> set[str]:
    """Return what is passed to `services.get(...)` in these files."""
    return {
        ast.unparse(node.args[0])
        for tree in files.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and ast.unparse(node.func.value).split(".")[-1] == "services"
    }


def test_modules_declare_every_class_with_provide() -> None:
    assert provided(trees()) == declared()
    planted = ast.parse("class Extra:\n    @classmethod\n    def provide(cls, services): return cls()")
    assert provided({"wallet/extra.py": planted}) == {"vetrina.wallet.extra:Extra"}


def test_every_get_names_a_declared_class() -> None:
    names = {target.partition(":")[2] for target in declared()}
    assert requested(trees()) == names
    assert requested({"x.py": ast.parse("request.services.get(make_gateways)")}) == {"make_gateways"}


async def test_a_process_has_one_object_of_a_class(services: Services) -> None:
    other = connect(services.settings, services.db.uri)
    for target in sorted(declared()):
        path, _, name = target.partition(":")
        kind = getattr(importlib.import_module(path), name)
        assert isinstance(services.get(kind), kind) and services.get(kind) is services.get(kind)
        assert other.get(kind) is not services.get(kind)


def test_doctor_lists_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("VETRINA_DATA", str(tmp_path))
    doctor(json=True)
    rows = json.loads(capsys.readouterr().out)["services"]
    assert {f"{row['path']}:{row['name']}" for row in rows} == declared()
    assert all(row["about"] for row in rows)
    doctor()
    table = capsys.readouterr().out
    assert all(row["name"] in table for row in rows)
    monkeypatch.setenv("VETRINA_ONLY", "wallet")
    doctor(json=True)
    modules = {row["module"] for row in json.loads(capsys.readouterr().out)["services"]}
    assert "core" in modules and "studio" not in modules
    monkeypatch.setenv("VETRINA_ONLY", "nonsense")
    doctor(json=True)
    assert json.loads(capsys.readouterr().out)["services"] == []
    with pytest.raises(BadSetting):
        connect(read({"VETRINA_ONLY": "nonsense"}), "postgresql://")
