"""Tables as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def harmless(text: str) -> str:
    """Return text that a spreadsheet displays and does not run as a formula (OWASP: CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def lines(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells as lines of CSV."""
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()
