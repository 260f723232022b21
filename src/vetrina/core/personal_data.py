"""Personal data: every module declares for each of its tables what an export contains and what an erasure deletes.

A module names the file with its `PERSONAL_DATA` in its `MODULE`. An export writes the rows of each table's `export` as JSON,
and the files. An erasure runs every `before`, then the `erase` of each table, from the uppermost module down, one transaction
per module; it may be killed and restarted at any point, so each step has to be idempotent. A test fails for a table with an
account column that no module declares.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any

from vetrina.core import audit, idempotency, usage
from vetrina.core.database.connection import Statement
from vetrina.core.database.ids import AccountId
from vetrina.core.messages import outbox
from vetrina.core.module import Modules
from vetrina.core.services import Services

Json = dict[str, Any]


@dataclass(frozen=True)
class TableRule:
    """One table: the SQL that selects rows of `%(account)s` for an export, and what an erasure does to them.

    Where either is None, `why` gives the reason.
    """

    table: str
    export: Statement[Json] | None
    erase: Statement[NoneType] | None
    why: str = ""


@dataclass(frozen=True)
class PersonalData:
    """A module's tables in erasure order."""

    module: str
    tables: list[TableRule]
    before: Callable[[Services, AccountId], Awaitable[None]] | None = None
    """Steps that run first: stop work under way, cancel renewals at a gateway."""
    files: Callable[[Services, AccountId], AsyncIterator[tuple[str, str]]] | None = None
    """Names in the export and storage keys of the account's files."""


def declarations(modules: Modules) -> list[PersonalData]:
    """Return the declarations of all installed modules, lowest first, whether or not they are served.

    Raises LookupError if composition set no modules: an empty export must not pass for a complete one.
    """
    if not modules.installed:
        raise LookupError("these services know no modules: `vetrina.modules.connect` makes some that do")
    return [importlib.import_module(module.personal_data).PERSONAL_DATA for module in modules.installed if module.personal_data]


def erasure_order(modules: Modules) -> list[PersonalData]:
    """Return every declaration, uppermost module first, accounts last: the others refer to them by id."""
    core, first, *upper = declarations(modules)
    return [*reversed(upper), core, first]


LEDGER = "kept under the bare id: what was paid and spent has to stay provable"

PERSONAL_DATA = PersonalData(
    "core",
    [
        TableRule("core.usage", usage.EXPORT, usage.FORGET),
        TableRule("core.idempotency_keys", None, idempotency.DELETE_ALL, "answers that are kept for a day"),
        TableRule("core.outbox", None, outbox.FORGET, "letters that a development site did not send"),
        TableRule("core.audit_logs", audit.EXPORT, None, "append-only; holds no personal data itself"),
        TableRule("core.audit_heads", None, None, "a figure and a hash"),
        TableRule("core.audit_details", None, None, "goes with the account itself, after the last row was written"),
    ],
)
