"""Conformance lists: the tables and columns that each document names, one TOML file per document."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

ANY = "any"
"""The type of a column for which the document gives no type; any[] is a list."""


class Document(msgspec.Struct, frozen=True):
    """A document's tables, with the PostgreSQL type of each column."""

    title: str
    schema: str
    tables: dict[str, dict[str, str]]


def documents() -> list[Document]:
    """Return every document that has a schema of views."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return [msgspec.convert(tomllib.loads(file.read_text("utf-8")), Document) for file in files]


def conforms(documented: str, actual: str) -> bool:
    """Return whether a column of type `actual` conforms to the type that the document names."""
    if documented == ANY:
        return True
    return actual.endswith("[]") if documented == f"{ANY}[]" else documented == actual
