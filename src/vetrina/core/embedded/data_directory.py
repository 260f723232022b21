"""PostgreSQL's folder and the user that it runs as: chosen, reached, initialised.

PostgreSQL refuses to run as root. Where we are root it runs as `vetrina` if there is such a user, otherwise as
`nobody`; its folder belongs to that user from then on. The data folder around it may be closed to everybody else.
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
"""What PostgreSQL's programs get of our environment: nothing, so that no PG* variable changes what they do."""


@dataclass(frozen=True)
class Place:
    """Where the cluster lies, with which programs and as which user (None: ourselves) it runs."""

    pgdata: Path
    binaries: Binaries
    account: spawn.Account | None

    @classmethod
    async def prepare(cls, pgdata: Path, binaries: Binaries) -> Place:
        """Choose the user, and see to it that it can reach the folder and the programs. Raises NoAccess."""
        account = _user(pgdata)
        if account is None:
            return cls(pgdata, binaries, None)
        inside = f"{pgdata.parent}/."
        if not await _reaches(account, inside):
            account = replace(account, reach=True)
            if not await _reaches(account, inside):
                raise NoAccess(
                    f"PostgreSQL cannot run as root, and the user {_name(account.uid)} cannot reach {pgdata.parent}. "
                    "Set VETRINA_DATA to a folder below ones that everybody may enter, or run Vetrina as another user."
                )
        elif not await _reaches(account, binaries.root, [binaries.program("initdb"), "--version"]):
            binaries = binaries.sheltered()
        return cls(pgdata, binaries, account)

    def own(self, path: Path, mode: int) -> None:
        """Give a file or folder of ours to PostgreSQL's user."""
        path.chmod(mode)
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def put(self, name: str, text: str) -> None:
        """Write a file into PostgreSQL's folder, at once. Never through a link that lies there."""
        handle, draft = tempfile.mkstemp(dir=self.pgdata, prefix=f".{name}-")
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.own(Path(draft), 0o600)
        os.replace(draft, self.pgdata / name)
        flush_folder(self.pgdata)

    def kept_version(self) -> str | None:
        """The major version that the folder was made by; None if there is no cluster in it yet."""
        try:
            return (self.pgdata / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NoAccess(f"{self.pgdata} cannot be read: {error}") from error

    async def initialise(self, password: str, settings: Mapping[str, str | int]) -> None:
        """Make a new cluster whose superuser `postgres` has this password. It is there whole or not at all.

        Raises CannotStart with what initdb said.
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
        with tempfile.TemporaryFile() as said:
            process = spawn.spawn(
                command,
                account=self.account,
                death_signal=None,
                environment=ENVIRONMENT,
                cwd=Path("/"),
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            try:
                code = await spawn.ended(process, 120)
            finally:
                process.kill()
            if code != 0:
                said.seek(0)
                raise CannotStart(f"{Path(command[0]).name} failed ({code}).", said.read().decode(errors="replace")[-2000:])


def _user(pgdata: Path) -> spawn.Account | None:
    held = pgdata.stat() if pgdata.exists() else None
    us = os.geteuid()
    if us != 0:
        if held and held.st_uid != us:
            raise NoAccess(f"{pgdata} belongs to the user {_name(held.st_uid)}. Run Vetrina as that user, or as root.")
        return None
    if held:
        if held.st_uid == 0:
            raise NoAccess(f"{pgdata} belongs to root, as whom PostgreSQL cannot run. Give it back: chown -R nobody {pgdata}")
        return spawn.Account(held.st_uid, held.st_gid)
    for name in USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return spawn.Account(found.pw_uid, found.pw_gid)
    raise NoAccess("PostgreSQL cannot run as root, and there is no user `vetrina` or `nobody` that it could run as.")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


async def _reaches(account: spawn.Account, path: str | Path, command: list[str] | None = None) -> bool:
    process = spawn.spawn(
        command or [],
        account=account,
        death_signal=None,
        must_reach=[path],
        environment=ENVIRONMENT,
        cwd=Path("/"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return await spawn.ended(process, 30) == 0
