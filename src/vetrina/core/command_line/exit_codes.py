"""Exit codes, and which failure gets which."""

from __future__ import annotations

import psycopg

from vetrina.core.database.migrations import MigrationRefused
from vetrina.core.embedded import AlreadyRunning, EmbeddedError
from vetrina.core.errors import Refusal
from vetrina.core.processes.supervisor import CONFIGURATION, CannotRun
from vetrina.core.settings import BadSetting

OK = 0
FAILED = 1
"""What was asked turned out not to be so: the books are wrong, a check failed, a part does not stay up."""
USAGE = 2
"""No such command or option."""
IN_USE = 3
"""The data folder or the port is in use."""
DATABASE = 4
"""The database cannot be started, reached or migrated."""
SETTINGS = CONFIGURATION
"""A setting in the environment cannot be used."""

HELP = (
    "Exit codes: 0 done; 1 a check failed; 2 no such command or option; 3 data folder or port in use; "
    "4 the database cannot be used; 78 a setting cannot be used."
)


class PortInUse(Exception):
    """Somebody else listens there."""

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
"""Failures that are told in one message, without a trace, and their exit codes. The first that fits counts."""


def code_of(error: BaseException) -> int | None:
    """The exit code for an expected failure; None for one that is a fault of ours."""
    return next((code for kind, code in FAILURES.items() if isinstance(error, kind)), None)
