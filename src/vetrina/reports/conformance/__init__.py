"""Conformance lists: what each document names, and how each named thing is proved; one TOML file per document."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

ANY = "any"
"""The type of a column for which the document gives no type; any[] is a list."""


class Refused(msgspec.Struct, frozen=True):
    """A documented rule: the statements of `sql`, of which the constraint or trigger `by` refuses the last."""

    thing: str
    by: str
    sql: str


class Returns(msgspec.Struct, frozen=True):
    """A documented query, function or effect: after `before`, the first column of the first row of `sql` is `value`."""

    thing: str
    sql: str
    value: str
    by: list[str] = []
    """Functions and triggers that it depends on."""
    before: str = ""


class Index(msgspec.Struct, frozen=True):
    """A documented index: the query on the documented names that the indexes of `by` serve."""

    thing: str
    by: list[str]
    sql: str


class Differs(msgspec.Struct, frozen=True):
    """A documented thing that is different here on purpose, and the reason."""

    thing: str
    reason: str


class Proof(msgspec.Struct, frozen=True):
    """Rows to plant, and what must then hold."""

    setup: str = ""
    refused: list[Refused] = []
    returns: list[Returns] = []
    index: list[Index] = []
    differs: list[Differs] = []
    unchecked: list[str] = []
    """Documented things that a database cannot prove."""


class Document(msgspec.Struct, frozen=True):
    """A document's tables, with the PostgreSQL type of each column, and the proofs of its rules."""

    title: str
    schema: str
    tables: dict[str, dict[str, str]]
    planned: bool = False
    """Whether its views do not exist yet."""
    proof: Proof = Proof()

    @property
    def system(self) -> str:
        """Return the document's short name, such as style-studio."""
        return self.schema.removeprefix("doc_").replace("_", "-")


def every_document() -> list[Document]:
    """Return all documents, by short name."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return [msgspec.convert(tomllib.loads(file.read_text("utf-8")), Document) for file in files]


def documents() -> list[Document]:
    """Return every document that has a schema of views."""
    return [document for document in every_document() if not document.planned]


def conforms(documented: str, actual: str) -> bool:
    """Return whether a column of type `actual` conforms to the type that the document names."""
    if documented == ANY:
        return True
    return actual.endswith("[]") if documented == f"{ANY}[]" else documented == actual
