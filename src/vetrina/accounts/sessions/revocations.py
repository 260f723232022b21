"""Sessions that ended lately: an access token holds by its signature alone, so each process is told which no longer count."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from vetrina.accounts import queries
from vetrina.accounts.sessions.tokens import ACCESS_SECONDS
from vetrina.core.services import Services


class Endings:
    """The sessions that ended within the life of an access token. A trigger tells each, milliseconds after its commit.

    While the database is away nothing is told; what was missed is read when it is back.
    """

    def __init__(self, services: Services) -> None:
        self._db = services.db
        self._until: dict[UUID, float] = {}
        services.hub.watch("sessions", self._heed)

    def __contains__(self, session: UUID) -> bool:
        return session in self._until

    async def _heed(self, message: dict[str, Any] | None) -> None:
        now = time.monotonic()
        if message is None:
            async with self._db.read() as tx:
                ended = await tx.all(queries.ENDED_LATELY, seconds=ACCESS_SECONDS)
        else:
            ended = [UUID(str(message["id"]))]
        for session in ended:
            self._until[session] = now + ACCESS_SECONDS
        # They were put in by time, so the first ones are the oldest.
        while self._until and next(iter(self._until.values())) < now:
            del self._until[next(iter(self._until))]


def endings(services: Services) -> Endings:
    """The process's list."""
    return Endings(services)
