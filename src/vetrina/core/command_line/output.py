"""Output of commands."""

from __future__ import annotations

import sys
from typing import Any

import msgspec


def as_json(value: Any) -> None:
    """Print `value` on stdout as indented JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode() + "\n")
