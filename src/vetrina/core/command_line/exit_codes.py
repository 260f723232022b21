"""Exit codes of the command line and the failures they stand for."""

from __future__ import annotations

import psycopg

from vetrina.core.database.migrations import MigrationRefused
from vetrina.core.embedded import AlreadyRunning, EmbeddedError
from vetrina.core.errors import Refusal
from vetrina.core.processes.supervisor import CONFIGURATION, CannotRun
from vetrina.core.settings.environment import BadSetting

OK = 0
FAILED = 1
"""A check failed: the ledger is inconsistent, a document does not conform, a service does not stay up."""
USAGE = 2
"""Unknown command or option."""
IN_USE = 3
"""The data folder or the port is in use."""
DATABASE = 4
"""The database cannot be started, reached or migrated."""
SETTINGS = CONFIGURATION
"""A setting in the environment is invalid."""

HELP = (
    "Exit codes: 0 done; 1 a check failed; 2 no such command or option; 3 data folder or port in use; "
    "4 the database cannot be used; 78 a setting cannot be used."
)


class PortInUse(Exception):
    """The port is already in use."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Port {port} on {host} is in use. Stop what uses it, or set VETRINA_PORT to another.")


FAILURES: dict[type[BaseException], int] = {
    AlreadyRunning: IN_USE,
    PortInUse: IN_USE,
    BadSetting: SETTINGS,
    CannotRun: FAILED,
    EmbeddedError: DATABASE,
    MigrationRefused: DATABASE,
    Refusal: FAILED,
    psycopg.Error: DATABASE,
}
"""Failures that are reported as one message without a traceback, and their exit codes. The first match counts."""


def code_of(error: BaseException) -> int | None:
    """Return the exit code of an expected failure; None for an unexpected one."""
    return next((code for kind, code in FAILURES.items() if isinstance(error, kind)), None)
