"""Titles of messaging's actions."""

from __future__ import annotations

USAGE = {
    "group_started": "Groups started",
}
"""Titles of actions in the usage record."""
