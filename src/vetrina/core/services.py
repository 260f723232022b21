"""Resources of one process: settings, database, storage, signing keys, and objects that modules add."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vetrina.core.database.connection import Database
from vetrina.core.database.timeouts import JOBS, Timeouts
from vetrina.core.module import Modules
from vetrina.core.pubsub import Hub
from vetrina.core.settings import environment as settings_of
from vetrina.core.settings.environment import Settings
from vetrina.core.storage.store import SignedLinks, Storage

Part = TypeVar("Part")


@dataclass
class Services:
    """Resources of one process, created by `connect` and passed to routes, jobs and commands."""

    settings: Settings
    db: Database
    storage: Storage
    keys: list[bytes]
    links: SignedLinks
    hub: Hub
    modules: Modules = Modules()
    """Set by composition (`vetrina.modules`)."""
    _parts: dict[Callable[[Services], Any], Any] = field(default_factory=dict[Callable[["Services"], Any], Any])

    def part(self, make: Callable[[Services], Part]) -> Part:
        """Return this process's single object made by `make`: a module's batcher, hasher or engine."""
        if make not in self._parts:
            self._parts[make] = make(self)
        return self._parts[make]

    async def open(self) -> None:
        """Connect to the database and start listening."""
        await self.db.open()
        self.hub.start(self.modules.channels)

    async def close(self) -> None:
        """Stop listening and close every connection."""
        await self.hub.stop()
        await self.db.close()


def connect(settings: Settings, uri: str, limits: Timeouts = JOBS) -> Services:
    """Return the services of a process that uses the database at `uri`, not yet opened."""
    keys = settings_of.secret_keys(settings)
    db = Database(uri, size=settings.pool_size, name=f"vetrina {os.getpid()}", limits=limits)
    return Services(
        settings=settings,
        db=db,
        storage=Storage.at(settings.storage_url, settings.data / "files"),
        keys=keys,
        links=SignedLinks(*keys),
        hub=Hub(db),
    )
