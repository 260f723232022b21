"""What PostgreSQL's errors mean to people."""

from __future__ import annotations

from typing import Any

import psycopg

from vetrina.core.errors import Invalid, for_constraint

FULL = "There is no room left on the disk: nothing was saved. The operator has to make room."
PASSING: dict[type[Exception], str] = {
    psycopg.errors.DiskFull: FULL,
    psycopg.errors.QueryCanceled: "This took the database too long. Please try again in a moment.",
    psycopg.errors.LockNotAvailable: "Others are changing the same just now. Please try again in a moment.",
}
"""What an error of the server's means to people, where trying again may help."""


class refusing:
    """Turns what the database says no to into a refusal: a violated constraint that has one, a value that it cannot keep."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, psycopg.errors.IntegrityError):
            refusal = for_constraint(error.diag.constraint_name)
            if refusal is not None:
                raise refusal from error
        elif isinstance(error, _UNKEEPABLE) or (isinstance(error, psycopg.DataError) and error.sqlstate is None):
            raise Invalid("There is a character, a number or a date in this that cannot be kept.") from error


# From the database, and from psycopg before it sends (no sqlstate: the zero character; half a surrogate pair).
_UNKEEPABLE = (
    psycopg.errors.UntranslatableCharacter,
    psycopg.errors.CharacterNotInRepertoire,
    psycopg.errors.NumericValueOutOfRange,
    psycopg.errors.DatetimeFieldOverflow,
    UnicodeEncodeError,
)
