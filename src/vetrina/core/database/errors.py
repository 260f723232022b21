"""Mapping of PostgreSQL's errors to refusals."""

from __future__ import annotations

from typing import Any

import psycopg

from vetrina.core.errors import Invalid, for_constraint

FULL = "No space left on the disk: nothing was saved. The operator has to free space."
TEMPORARY: dict[type[Exception], str] = {
    psycopg.errors.DiskFull: FULL,
    psycopg.errors.QueryCanceled: "The database took too long. Please try again in a moment.",
    psycopg.errors.LockNotAvailable: "Another request is changing the same data. Please try again in a moment.",
}
"""Messages for server errors that may be temporary."""


class map_errors:
    """Maps database errors to refusals: violated constraints that have one, and values that cannot be stored."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, psycopg.errors.IntegrityError):
            refusal = for_constraint(error.diag.constraint_name)
            if refusal is not None:
                raise refusal from error
        elif isinstance(error, _UNSTORABLE) or (isinstance(error, psycopg.DataError) and error.sqlstate is None):
            raise Invalid("Contains a value that cannot be stored.") from error


# From the database, or from psycopg before it sends (no sqlstate: a zero character, half a surrogate pair).
_UNSTORABLE = (
    psycopg.errors.UntranslatableCharacter,
    psycopg.errors.CharacterNotInRepertoire,
    psycopg.errors.NumericValueOutOfRange,
    psycopg.errors.DatetimeFieldOverflow,
    UnicodeEncodeError,
)
