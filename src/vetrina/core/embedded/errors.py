"""Errors of the embedded PostgreSQL. Each message is shown to the operator."""

from __future__ import annotations


class EmbeddedError(Exception):
    """Base class: the embedded PostgreSQL cannot be used."""


class AlreadyRunning(EmbeddedError):
    """Another process runs Vetrina on this data folder; `pid` is its process id (0 if not known)."""

    def __init__(self, folder: object, pid: int) -> None:
        holder = f"by the process with id {pid}" if pid else "by another process"
        super().__init__(
            f"The data folder {folder} is already in use {holder}. Stop that one first, or set VETRINA_DATA to another folder."
        )
        self.pid = pid


class CannotStart(EmbeddedError):
    """PostgreSQL did not start; `log` holds the last lines of its output."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(f"{reason}\n{log}".rstrip())
        self.log = log


class NoAccess(EmbeddedError):
    """The data folder or the programs cannot be accessed by this user or by PostgreSQL's."""


class NotInitialised(EmbeddedError):
    """This data folder holds no database yet."""


class Unsuitable(EmbeddedError):
    """The database in VETRINA_DATABASE_URL cannot be used."""
