"""A module imports only what stands below it: import-linter's contracts hold, and would notice."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.code import MODULES, ROOT, stair

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


# A small house of the same plan, in which one rule at a time is broken.
PLANTED = {
    "up the stair": ("wallet/ledger/actions.py", "import vetrina.studio"),
    "between siblings": ("wallet/ledger/actions.py", "import vetrina.media"),
    "a client with a database": ("clients/mail.py", "import psycopg"),
    "rules that know the web": ("studio/generations/actions.py", "import litestar"),
    "a module on no step": ("elsewhere/__init__.py", ""),
    "a client's helper that imports an engine": ("clients/tls.py", "import vetrina.clients.engines"),
    "an engine's interface that imports its HTTP helpers": ("clients/engines/base.py", "import vetrina.clients.engines.http"),
    "one technique in another": ("clients/engines/builtin/flat/comic.py", "import vetrina.clients.engines.builtin.printing"),
    "a raster helper that imports a technique": (
        "clients/engines/builtin/raster/blur.py", "import vetrina.clients.engines.builtin.scenes",
    ),
    "an OpenAI request that imports the engine": (
        "clients/engines/openai/request.py", "import vetrina.clients.engines.openai.engine",
    ),
    "a ComfyUI server that imports the progress": (
        "clients/engines/comfyui/server.py", "import vetrina.clients.engines.comfyui.progress",
    ),
    "an isolated child that imports its parent": ("core/isolation/child.py", "import vetrina.core.isolation.parent"),
    "a cluster's part that imports the cluster": ("core/embedded/lock.py", "import vetrina.core.embedded.cluster"),
}  # fmt: skip


def rooms_of_contracts() -> Iterator[str]:
    """Yield the dotted name of each package that a `layers` contract inside a module names."""
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]:
        for container in contract.get("containers", []):
            for layer in contract["layers"] if container != "vetrina" else []:
                yield from (f"{container}.{name}" for name in re.findall(r"\w+", layer))


@pytest.mark.parametrize("broken", [None, *PLANTED])
def test_the_contracts_notice(tmp_path: Path, broken: str | None) -> None:
    config = (ROOT / "pyproject.toml").read_text()
    # The exception for a file that the small house does not have would itself be an error there.
    (tmp_path / "pyproject.toml").write_text("\n".join(line for line in config.splitlines() if " -> " not in line))
    package = tmp_path / "vetrina"
    modules = ("accounts", "wallet", "media", "stripe_mirror", "payments", "studio", "reports")
    rooms = ("core/database", "core/database/connection", "wallet/ledger", "studio/generations")
    for name in ("", "web", "core", "clients", *modules, *rooms):
        (package / name).mkdir(parents=True, exist_ok=True)
        (package / name / "__init__.py").touch()
    for name in ("worker", "app", "prepare", "demo"):
        (package / f"{name}.py").touch()
    for name in rooms_of_contracts():
        folder = tmp_path.joinpath(*name.split("."))
        folder.mkdir(parents=True, exist_ok=True)
        for parent in (folder, *folder.relative_to(tmp_path).parents):
            (tmp_path / parent / "__init__.py").touch()
        (tmp_path / "__init__.py").unlink()
    for module in modules:
        for file in ("actions", "model", "queries", "jobs"):
            (package / module / f"{file}.py").touch()
    if broken:
        path, line = PLANTED[broken]
        file = package / path
        if file.with_suffix("").is_dir():  # a room stands there in the small house
            file = file.with_suffix("") / "__init__.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{line}\n")
    result = lint(tmp_path, PYTHONPATH=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    assert (result.returncode == 0) == (broken is None), result.stdout + result.stderr
    assert "BROKEN" in result.stdout or broken is None, result.stdout + result.stderr
