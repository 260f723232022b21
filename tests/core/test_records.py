"""Responses are rows with computed fields: the same names once, with the response's types."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
import pytest

from vetrina.core.database.ids import new_id
from vetrina.core.database.records import to_record


class Row(msgspec.Struct, frozen=True):
    """A row of a query."""

    id: UUID
    kind: str
    secret: str = "never shown"


class Response(msgspec.Struct):
    """What the API returns of it."""

    id: UUID
    kind: Literal["user", "vendor"]
    href: str


class Plain(msgspec.Struct):
    """A response without computed fields."""

    id: UUID
    kind: Literal["user", "vendor"]


ROW = Row(new_id(), "user")


def test_fields_of_the_row_and_computed_ones_make_the_response() -> None:
    assert to_record(Plain, ROW) == Plain(ROW.id, "user")
    response = to_record(Response, ROW, href=f"/x/{ROW.id}")
    assert response == Response(ROW.id, "user", f"/x/{ROW.id}")
    assert b"never shown" not in msgspec.json.encode(response)
    assert to_record(Response, ROW, href="/", kind="vendor").kind == "vendor"


def test_missing_fields_and_other_types_are_errors() -> None:
    with pytest.raises(AttributeError, match="href"):
        to_record(Response, ROW, kind="user")
    with pytest.raises(msgspec.ValidationError, match="missing required field `href`"):
        to_record(Response, ROW)
    for wrong in (Row(new_id(), "emperor"), Row("text", "user")):  # type: ignore[arg-type]
        with pytest.raises(msgspec.ValidationError):
            to_record(Plain, wrong)
        with pytest.raises(msgspec.ValidationError):
            to_record(Response, wrong, href="/")
