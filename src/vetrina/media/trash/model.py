"""Rows of the trash."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vetrina.media.model import FileRow


class TrashedFileRow(FileRow, frozen=True, kw_only=True):
    """A file in the trash; the job deletes it for good after `erased_at`."""

    deleted_at: datetime
    erased_at: datetime


class TrashUse(msgspec.Struct, frozen=True):
    """The number of an account's files in the trash, their bytes with thumbnails, and the days that they stay."""

    files: int
    bytes: int
    days: int
