"""Code as the rules read it: modules, statements, layers, tracked files."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import vetrina
from vetrina.core.database.connection import Statement

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "vetrina"
MODULES = ("accounts", "notifications", "wallet", "media", "stripe_mirror", "payments", "studio", "gallery", "messaging", "shop",
           "contacts", "moderation", "reports")  # fmt: skip
"""The design's modules, whether or not they exist yet."""


@cache
def everything() -> dict[str, Any]:
    """Return every module of the package, imported; except those run as `python -m`, since importing would run them."""
    for package in pkgutil.walk_packages(vetrina.__path__, "vetrina."):
        if not package.name.endswith("__main__"):
            importlib.import_module(package.name)
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] == "vetrina"}


@cache
def statements() -> dict[str, Statement[Any]]:
    """Return declared statements by their name, such as wallet.queries.HOLD; unnamed ones are called unbound."""
    modules = everything()
    homes: dict[int, str] = {}
    for name, module in sorted(modules.items()):
        for key, value in vars(module).items():
            # `from queries import X` binds it again: the shortest name is the declaring module's.
            if isinstance(value, Statement) and f"{key} = Statement(" in source_of(module):
                homes[id(value)] = f"{name.removeprefix('vetrina.')}.{key}"
    return {homes.get(id(item), f"unbound {number}: {item.sql[:60]}"): item for number, item in enumerate(Statement.declared)}


@cache
def source_of(module: Any) -> str:
    """Return a module's source text."""
    path = getattr(module, "__file__", None)
    return Path(path).read_text() if path else ""


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax trees of the package's files, by path below it."""
    return {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}


@cache
def stair() -> list[set[str]]:
    """Return the modules from the lowest layer up, as import-linter's contract in pyproject.toml lists them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "stair")
    return [set(re.findall(r"\w+", layer)) for layer in reversed(layers)]


def step(module: str) -> int:
    """Return a module's layer; the lowest is 0. Raises StopIteration for a module in no layer."""
    return next(height for height, names in enumerate(stair()) if module in names)


def below(lower: str, upper: str) -> bool:
    """Return whether `lower` is `upper` or in a lower layer."""
    return lower == upper or step(lower) < step(upper)


@cache
def tracked() -> list[Path]:
    """Return the files that git tracks here or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return sorted({ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()})


def bare(sql: str) -> str:
    """Return SQL in lower case without comments and string literals."""
    return re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.S)).lower()


_WRITES = (
    r"\binsert\s+into\s+(?:only\s+)?(\w+\.\w+)",
    r"\bdelete\s+from\s+(?:only\s+)?(\w+\.\w+)",
    r"\bmerge\s+into\s+(?:only\s+)?(\w+\.\w+)",
    r"\btruncate\s+(?:table\s+)?(\w+\.\w+)",
)
_UPDATE = r"(?<!for )(?<!do )(?<!before )\bupdate\s+(?:only\s+)?(\w+\.\w+)"
_UPSERT = r"\binsert\s+into\s+(\w+\.\w+)(?:(?!\binsert\b).)*?\bdo\s+update\b"


def written(sql: str) -> set[str]:
    """Return the tables that this SQL writes to, as schema.table."""
    plain = bare(sql)
    return {name for pattern in _WRITES for name in re.findall(pattern, plain)} | updated(sql)


def updated(sql: str) -> set[str]:
    """Return the tables whose rows this SQL updates."""
    plain = bare(sql)
    return set(re.findall(_UPDATE, plain)) | set(re.findall(_UPSERT, plain, flags=re.S))
