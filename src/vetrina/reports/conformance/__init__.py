"""What the documents call things: the tables and columns of each, one file a document, taken from its text."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

ANY = "any"
"""The type of a column of which the document names none; any[] is a list."""


class Document(msgspec.Struct, frozen=True):
    """A document's tables: the columns of each with their types as PostgreSQL writes them."""

    title: str
    schema: str
    tables: dict[str, dict[str, str]]


def documents() -> list[Document]:
    """Every document that has a schema of views."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return [msgspec.convert(tomllib.loads(file.read_text("utf-8")), Document) for file in files]


def fits(wanted: str, found: str) -> bool:
    """Whether a column of type `found` is what the document asks for."""
    if wanted == ANY:
        return True
    return found.endswith("[]") if wanted == f"{ANY}[]" else wanted == found
