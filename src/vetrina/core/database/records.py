"""Responses from rows: fields of the same name are copied, so that a record is declared once."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec.structs import FieldInfo

Record = TypeVar("Record", bound=msgspec.Struct)


def to_record(kind: type[Record], row: object, /, **computed: Any) -> Record:
    """Return a `kind` with the fields that the row has too, and the computed ones.

    Raises AttributeError for a field that is neither, msgspec.ValidationError for a copied one of another type.
    """
    if not computed:
        return msgspec.convert(row, kind, from_attributes=True)
    copied = {
        field.name: msgspec.convert(getattr(row, field.name), field.type) for field in _fields(kind) if field.name not in computed
    }
    return kind(**copied, **computed)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    return msgspec.structs.fields(kind)
