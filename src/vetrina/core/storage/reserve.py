"""The disk reserve: free space that uploads and exports leave to PostgreSQL and the system. For storage on the local disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from prometheus_client import Counter

from vetrina.core.errors import Refusal
from vetrina.core.settings.environment import Settings
from vetrina.core.settings.values import disk_space

REFUSED = Counter("vetrina_disk_reserve_refusals", "Uploads and exports refused because of the disk reserve.")


class DiskReserved(Refusal):
    """The site has no room for new files at the moment. Nothing was stored. The operator is informed."""

    status = 507


class DiskSpace(msgspec.Struct, frozen=True):
    """Bytes of the disk that holds the files."""

    total: int
    free: int
    reserve: int

    @property
    def refuses(self) -> bool:
        """Return whether uploads and exports are refused."""
        return self.free < self.reserve


def disk(settings: Settings) -> DiskSpace | None:
    """Return the space of the disk with the files; None for a bucket."""
    if settings.storage_url:
        return None
    folder = settings.data / "files"
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return _space(folder, settings.disk_reserve)


def require(settings: Settings, size: int = 0) -> None:
    """Raise DiskReserved (507) unless `size` more bytes leave the reserve free."""
    space = disk(settings)
    if space is not None and space.free - size < space.reserve:
        REFUSED.inc()
        raise DiskReserved


def _space(folder: Path, reserve: str) -> DiskSpace:
    usage = shutil.disk_usage(folder)
    share, minimum = disk_space(reserve)
    return DiskSpace(usage.total, usage.free, int(usage.total * share) if share else minimum)
