"""PostgreSQL's data directory and the operating system user that it runs as.

PostgreSQL refuses to run as root. Under root it runs as `vetrina` if there is such a user, otherwise as
`nobody`; its folder belongs to that user from then on. The data folder around it may be closed to all others.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vetrina.core.embedded.binaries import Binaries
from vetrina.core.embedded.errors import CannotStart, NoAccess
from vetrina.core.files import flush_folder
from vetrina.core.processes import spawn

USERS = ("vetrina", "nobody")
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
"""The whole environment of PostgreSQL's programs, so that no PG* variable changes what they do."""


@dataclass(frozen=True)
class DataDirectory:
    """The cluster's folder, programs and user (None: the current one)."""

    pgdata: Path
    binaries: Binaries
    account: spawn.Account | None

    @classmethod
    async def prepare(cls, pgdata: Path, binaries: Binaries) -> DataDirectory:
        """Choose the user and ensure that it can access the folder and the programs. Raises NoAccess."""
        account = _choose_user(pgdata)
        if account is None:
            return cls(pgdata, binaries, None)
        inside = f"{pgdata.parent}/."
        if not await _can_access(account, inside):
            account = replace(account, traverse=True)
            if not await _can_access(account, inside):
                raise NoAccess(
                    f"PostgreSQL cannot run as root, and the user {_name(account.uid)} cannot reach {pgdata.parent}. "
                    "Set VETRINA_DATA to a folder whose parents all users may enter, or run Vetrina as another user."
                )
        elif not await _can_access(account, binaries.root, [binaries.program("initdb"), "--version"]):
            binaries = binaries.copied_binaries()
        return cls(pgdata, binaries, account)

    def own(self, path: Path, mode: int) -> None:
        """Give a file or folder to PostgreSQL's user."""
        path.chmod(mode)
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def write_file(self, name: str, text: str) -> None:
        """Write a file into PostgreSQL's folder atomically, never through an existing link."""
        handle, draft = tempfile.mkstemp(dir=self.pgdata, prefix=f".{name}-")
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.own(Path(draft), 0o600)
        os.replace(draft, self.pgdata / name)
        flush_folder(self.pgdata)

    def cluster_version(self) -> str | None:
        """Return the major version that created the folder; None if there is no cluster in it yet."""
        try:
            return (self.pgdata / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NoAccess(f"{self.pgdata} cannot be read: {error}") from error

    async def initialise(self, password: str, settings: Mapping[str, str | int]) -> None:
        """Create a new cluster, whole or not at all; its superuser `postgres` gets this password.

        Raises CannotStart with the output of initdb.
        """
        draft, secret = self.pgdata.with_name(f".{self.pgdata.name}.new"), self.pgdata.with_name(".initdb-password")
        shutil.rmtree(draft, ignore_errors=True)
        secret.unlink(missing_ok=True)
        try:
            draft.mkdir()
            self.own(draft, 0o700)
            secret.touch(mode=0o600)
            secret.write_text(password)
            self.own(secret, 0o600)
            command = [
                self.binaries.program("initdb"),
                *("-D", str(draft), "-U", "postgres", f"--pwfile={secret}", "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(["--no-sync"] if settings.get("fsync") == "off" else []),
            ]
            await self._run(command)
            os.rename(draft, self.pgdata)
            flush_folder(self.pgdata.parent)
        except OSError as error:
            raise NoAccess(f"The data folder {self.pgdata.parent} cannot be written: {error}") from error
        finally:
            secret.unlink(missing_ok=True)
            shutil.rmtree(draft, ignore_errors=True)

    async def _run(self, command: list[str]) -> None:
        with tempfile.TemporaryFile() as output:
            process = spawn.spawn(
                command,
                account=self.account,
                death_signal=None,
                environment=ENVIRONMENT,
                cwd=Path("/"),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                code = await spawn.wait_for_exit(process, 120)
            finally:
                process.kill()
            if code != 0:
                output.seek(0)
                raise CannotStart(f"{Path(command[0]).name} failed ({code}).", output.read().decode(errors="replace")[-2000:])


def _choose_user(pgdata: Path) -> spawn.Account | None:
    status = pgdata.stat() if pgdata.exists() else None
    own_uid = os.geteuid()
    if own_uid != 0:
        if status and status.st_uid != own_uid:
            raise NoAccess(f"{pgdata} belongs to the user {_name(status.st_uid)}. Run Vetrina as that user, or as root.")
        return None
    if status:
        if status.st_uid == 0:
            advice = f"Change the owner: chown -R nobody {pgdata}"
            raise NoAccess(f"{pgdata} belongs to root, and PostgreSQL cannot run as root. {advice}")
        return spawn.Account(status.st_uid, status.st_gid)
    for name in USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return spawn.Account(entry.pw_uid, entry.pw_gid)
    raise NoAccess("PostgreSQL cannot run as root, and there is no user `vetrina` or `nobody` to run it.")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


async def _can_access(account: spawn.Account, path: str | Path, command: list[str] | None = None) -> bool:
    process = spawn.spawn(
        command or [],
        account=account,
        death_signal=None,
        must_access=[path],
        environment=ENVIRONMENT,
        cwd=Path("/"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return await spawn.wait_for_exit(process, 30) == 0
