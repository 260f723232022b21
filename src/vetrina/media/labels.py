"""Labels of actions on files and public pictures."""

from __future__ import annotations

AUDIT = {
    "picture_taken_down": "A picture was removed from the public gallery",
    "picture_restored": "A removed picture was restored",
    "picture_featured": "A picture was chosen for the front page",
    "picture_unfeatured": "A picture was removed from the front page",
    "picture_report_upheld": "A report of a picture was upheld",
    "picture_report_dismissed": "A report of a picture was dismissed",
}
"""Titles of actions in the audit log."""

USAGE = {
    "file_uploaded": "Files uploaded",
    "file_changed": "Files changed",
    "file_deleted": "Files moved to the trash",
    "file_restored": "Files restored",
    "file_erased": "Files deleted for good",
    "album_created": "Albums created",
}
"""Titles of actions in the usage record."""
