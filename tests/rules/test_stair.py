"""Modules import only lower layers: import-linter's contracts hold and detect planted violations."""

from __future__ import annotations

import ast
import contextlib
import shutil
import subprocess
import sysconfig
import tomllib
from collections.abc import Generator, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.rules.code import MODULES, ROOT, SOURCE, stair, trees

LINT = Path(sysconfig.get_path("scripts")) / "lint-imports"


def lint(at: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the contracts of `at`/pyproject.toml."""
    return subprocess.run(
        [LINT, "--no-cache", "--config", at / "pyproject.toml"], cwd=at, env=environment or None, capture_output=True, text=True
    )


def test_the_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


def test_every_module_of_the_design_has_its_step() -> None:
    assert set(MODULES) <= {name for names in stair() for name in names}


PLANTED = {
    "a lower module that imports a higher one": ("wallet/ledger/actions.py", "import vetrina.studio.model"),
    "two modules of one layer": ("wallet/ledger/actions.py", "import vetrina.stripe_mirror.model"),
    "a client with a database": ("clients/zarinpal.py", "import psycopg"),
    "actions that know the web framework": ("studio/generations/actions.py", "import litestar"),
    "a module on no layer": ("elsewhere/__init__.py", ""),
    "a room on no layer": ("payments/elsewhere.py", ""),
    "a client's helper that imports an engine": ("clients/tls.py", "import vetrina.clients.engines.base"),
    "an engine's interface that imports its HTTP helpers": ("clients/engines/base.py", "import vetrina.clients.engines.http"),
    "one technique in another": ("clients/engines/builtin/flat/comic.py", "import vetrina.clients.engines.builtin.printing"),
    "a raster helper that imports a technique": (
        "clients/engines/builtin/raster/blur.py",
        "import vetrina.clients.engines.builtin.scenes",
    ),
    "a network that imports the engine": ("clients/engines/networks/faces.py", "import vetrina.clients.engines.neural.engine"),
    "a neural style that imports its renderer": (
        "clients/engines/neural/catalogue.py",
        "import vetrina.clients.engines.neural.render",
    ),
    "an OpenAI request that imports the engine": (
        "clients/engines/openai/request.py",
        "import vetrina.clients.engines.openai.engine",
    ),
    "a ComfyUI server that imports the progress": (
        "clients/engines/comfyui/server.py",
        "import vetrina.clients.engines.comfyui.progress",
    ),
    "an isolated child that imports its parent": ("core/isolation/child.py", "import vetrina.core.isolation.parent"),
    "a cluster's part that imports the cluster": ("core/embedded/lock.py", "import vetrina.core.embedded.cluster"),
    "rooms of core": ("core/database/ids.py", "import vetrina.core.jobs.queue"),
    "rooms of accounts": ("accounts/sessions/actions.py", "import vetrina.accounts.second_factor.actions"),
    "rooms of wallet": ("wallet/ledger/actions.py", "import vetrina.wallet.packs.actions"),
    "rooms of stripe_mirror": ("stripe_mirror/ingest/actions.py", "import vetrina.stripe_mirror.backfill.actions"),
    "rooms of media": ("media/files/actions.py", "import vetrina.media.delivery"),
    "rooms of payments": ("payments/settlement/actions.py", "import vetrina.payments.checkout.pricing"),
    "rooms of notifications": ("notifications/actions.py", "import vetrina.notifications.inbox.actions"),
    "rooms of messaging": ("messaging/messages/actions.py", "import vetrina.messaging.conversations.actions"),
    "rooms of studio": ("studio/styles/catalogue.py", "import vetrina.studio.generations.actions"),
    "rooms of reports": ("reports/actions.py", "import vetrina.reports.members.actions"),
}
"""Violations by name: the file and the line appended to it."""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of the package and of its contracts."""
    folder = tmp_path_factory.mktemp("stair")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for source in SOURCE.rglob("*.py"):
        copy = folder / "vetrina" / source.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    return folder


@pytest.mark.parametrize("violation", [None, *PLANTED])
def test_contracts_detect_a_violation(copied: Path, violation: str | None) -> None:
    with planted(copied / "vetrina", *PLANTED[violation]) if violation else contextlib.nullcontext():
        result = lint(copied, PYTHONPATH=str(copied), PYTHONDONTWRITEBYTECODE="1")
    assert (result.returncode == 0) == (violation is None), result.stdout + result.stderr
    assert "BROKEN" in result.stdout or violation is None, result.stdout + result.stderr


@contextlib.contextmanager
def planted(package: Path, path: str, line: str) -> Generator[None]:
    """Have `line` at the end of a file, which is created if there is none, until the block ends."""
    file = package / path
    before = file.read_bytes() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        opened.write(f"\n{line}\n")
    try:
        yield
    finally:
        if before is not None:
            file.write_bytes(before)
        elif file.name == "__init__.py":
            shutil.rmtree(file.parent)
        else:
            file.unlink()


def test_every_module_with_rooms_has_a_contract() -> None:
    with_rooms = {path.parent.parent.name for path in SOURCE.glob("*/*/__init__.py")} & {*MODULES, "core"}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = {name.removeprefix("vetrina.") for contract in contracts for name in contract.get("containers", ())}
    assert with_rooms - held == set()


def _imports(name: str, tree: ast.Module, names: set[str]) -> set[str]:
    """Return our modules that a file imports at import time."""
    result: set[str] = set()
    for node in _runs_at_import(tree):
        if isinstance(node, ast.Import):
            result |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            result |= {full if (full := f"{node.module}.{alias.name}") in names else node.module for alias in node.names}
    return (result & names) - {name}


def _runs_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node outside functions and `if TYPE_CHECKING` blocks."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _runs_at_import(child)


def _graph() -> dict[str, set[str]]:
    paths = {f"vetrina/{path}".removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in trees()}
    return {name: _imports(name, trees()[path], set(paths)) for name, path in paths.items()}


def _cycle(graph: dict[str, set[str]]) -> str | None:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return " -> ".join(error.args[1])
    return None


@pytest.mark.parametrize("depth", [2, 3, 99], ids=["modules", "rooms", "files"])
def test_no_imports_in_a_circle(depth: int) -> None:
    graph: dict[str, set[str]] = {}
    for name, imports in _graph().items():
        shortened = ".".join(name.split(".")[:depth])
        graph.setdefault(shortened, set()).update(
            target for used in imports if (target := ".".join(used.split(".")[:depth])) != shortened
        )
    assert _cycle(graph) is None
    assert _cycle({"a": {"b"}, "b": {"a"}}) is not None
