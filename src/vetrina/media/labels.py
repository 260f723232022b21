"""Labels of actions on files."""

from __future__ import annotations

USAGE = {
    "file_uploaded": "Files uploaded",
    "file_changed": "Files changed",
    "file_deleted": "Files deleted",
}
"""Titles of actions in the usage record."""
