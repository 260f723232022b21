"""Titles of the gallery's actions."""

from __future__ import annotations

USAGE = {
    "post_published": "Posts published",
    "comment_written": "Comments written",
}
"""Titles of actions in the usage record."""
