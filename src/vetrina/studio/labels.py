"""Titles of the studio's actions."""

from __future__ import annotations

USAGE = {
    "generation_started": "Pictures started",
    "generation_completed": "Pictures finished",
    "generation_failed": "Pictures failed",
    "generation_cancelled": "Pictures cancelled",
}
"""Titles of actions in the usage record."""
