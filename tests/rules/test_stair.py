"""A module imports only what stands below it: import-linter's contracts hold, and would notice."""

from __future__ import annotations

import subprocess
import sysconfig
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
}


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
    for module in modules:
        for file in ("actions", "model", "queries", "jobs"):
            (package / module / f"{file}.py").touch()
    if broken:
        path, line = PLANTED[broken]
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(f"{line}\n")
    result = lint(tmp_path, PYTHONPATH=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    assert (result.returncode == 0) == (broken is None), result.stdout + result.stderr
    assert "BROKEN" in result.stdout or broken is None, result.stdout + result.stderr
