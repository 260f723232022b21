"""Resources of one process: settings, database, storage, signing keys, and objects that modules add."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar, cast

from vetrina.core.database.connection import Database
from vetrina.core.database.pubsub import Hub
from vetrina.core.database.timeouts import JOBS, Timeouts
from vetrina.core.module import Modules
from vetrina.core.settings import environment as settings_of
from vetrina.core.settings.environment import Settings
from vetrina.core.storage.store import SignedLinks, Storage


class Provided(Protocol):
    """A class of which a process has one object, such as a batcher, a hasher or the gateways. Its module's MODULE lists it."""

    @classmethod
    def provide(cls, services: Services, /) -> Self:
        """Return the object of the process with these services."""
        ...


Part = TypeVar("Part", bound=Provided)


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
    _provided: dict[type[Any], Any] = field(default_factory=dict[type[Any], Any])

    def get(self, kind: type[Part]) -> Part:
        """Return this process's object of a class, made by its `provide` when it is first needed."""
        if kind not in self._provided:
            self._provided[kind] = kind.provide(self)
        return cast("Part", self._provided[kind])

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
