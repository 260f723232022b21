"""Rows and refusals of storage."""

from __future__ import annotations

import msgspec

from vetrina.core.errors import Refusal


class StorageUse(msgspec.Struct, frozen=True):
    """Stored bytes of an account: originals with thumbnails, and exports. `limit_bytes` is null for no limit."""

    used_bytes: int
    limit_bytes: int | None
    export_bytes: int

    @property
    def room(self) -> int | None:
        """Return the bytes that can still be stored, or None for no limit."""
        return None if self.limit_bytes is None else max(0, self.limit_bytes - self.used_bytes)


class StorageLimit(msgspec.Struct, frozen=True):
    """An account's use, and the megabytes that an operator set for it (None: the site's default, 0: no limit)."""

    used_bytes: int
    limit_bytes: int | None
    export_bytes: int
    own_mb: int | None


class StorageFull(Refusal):
    """Your storage is full. Delete pictures or an export, or choose a larger plan."""

    status = 409
    constraint = "storage_within_limit"
    field = "file"


class InvalidStorageLimit(Refusal):
    """A storage limit is 0 (no limit) to 100,000,000 megabytes, or empty for the site's default."""

    status = 422
    constraint = "storage_limit_in_range"
    field = "storage_mb"
