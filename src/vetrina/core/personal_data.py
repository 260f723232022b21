"""What is somebody's own: every module says of each of its tables what an export holds and what an erasure takes away.

A module names the file with its `PART` in its `MODULE`. An export writes the rows that each table's `export` gives, as JSON, and
the files. An erasure runs every `before`, then the `erase` of each table, from the top of the stair down, a module a
transaction; it may be killed and begin again at any point, so each has to be harmless the second time. A test fails
for a table with an account in it that no part names.
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
class Personal:
    """A table: the rows that are `%(account)s`'s for an export, and what an erasure does to them.

    Where either is None, `why` says so.
    """

    table: str
    export: Statement[Json] | None
    erase: Statement[NoneType] | None
    why: str = ""


@dataclass(frozen=True)
class Part:
    """A module's tables, in the order in which they are erased."""

    module: str
    tables: list[Personal]
    before: Callable[[Services, AccountId], Awaitable[None]] | None = None
    """What has to stop first: work under way, what a gateway renews."""
    files: Callable[[Services, AccountId], AsyncIterator[tuple[str, str]]] | None = None
    """Names in the export and storage keys of what is somebody's besides rows."""


def parts(modules: Modules) -> list[Part]:
    """Return the parts of all installed modules, from the bottom of the stair up, whether they are served or not.

    Raises LookupError where composition named no modules: a copy of nothing must not pass for one of everything.
    """
    if not modules.installed:
        raise LookupError("these services know no modules: `vetrina.modules.connect` makes some that do")
    return [importlib.import_module(module.personal_data).PART for module in modules.installed if module.personal_data]


def erasure_order(modules: Modules) -> list[Part]:
    """Return every part from the top of the stair down, the accounts' last: everything else refers to them by id."""
    core, first, *upper = parts(modules)
    return [*reversed(upper), core, first]


LEDGER = "kept under the bare id: what was paid and spent has to stay provable"

PART = Part(
    "core",
    [
        Personal("core.usage", usage.EXPORT, usage.FORGET),
        Personal("core.idempotency_keys", None, idempotency.FORGET_ALL, "answers that are kept for a day"),
        Personal("core.outbox", None, outbox.FORGET, "letters that a development site did not send"),
        Personal("core.audit_logs", audit.EXPORT, None, "append-only; holds no personal data itself"),
        Personal("core.audit_heads", None, None, "a figure and a hash"),
        Personal("core.audit_details", None, None, "goes with the account itself, after the last row was written"),
    ],
)
