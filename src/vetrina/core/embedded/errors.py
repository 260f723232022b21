"""What can keep the embedded PostgreSQL from running. Each message is for the operator, as it is."""

from __future__ import annotations


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used as asked."""


class AlreadyRunning(EmbeddedError):
    """Another process runs Vetrina on this data folder; `pid` is its process id (0 if not known)."""

    def __init__(self, folder: object, pid: int) -> None:
        who = f"by the process with id {pid}" if pid else "by another process"
        super().__init__(
            f"The data folder {folder} is already in use {who}. Stop that one first, or set VETRINA_DATA to another folder."
        )
        self.pid = pid


class CannotStart(EmbeddedError):
    """PostgreSQL did not start; `log` holds the last lines that it wrote."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(f"{reason}\n{log}".rstrip())
        self.log = log


class NoAccess(EmbeddedError):
    """The system does not let us, or PostgreSQL's user, at the data folder or the programs."""


class NotInitialised(EmbeddedError):
    """This data folder holds no database yet."""


class Unsuitable(EmbeddedError):
    """The database in VETRINA_DATABASE_URL cannot be used."""
