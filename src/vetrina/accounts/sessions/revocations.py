"""Sessions that ended recently: access tokens are checked by signature, so each process keeps the list of revoked ones."""

from __future__ import annotations

import time
from typing import Any, Self
from uuid import UUID

from vetrina.accounts.sessions import queries
from vetrina.accounts.sessions.tokens import ACCESS_SECONDS
from vetrina.core.services import Services


class RevokedSessions:
    """The sessions that ended within the lifetime of an access token, as a trigger notifies them after each commit.

    While the connection is lost no notifications arrive; the list is read again when it is back.
    """

    def __init__(self, services: Services) -> None:
        self._db = services.db
        self._until: dict[UUID, float] = {}
        services.hub.on_message("sessions", self._on_message)

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the list, kept up to date from now on."""
        return cls(services)

    def __contains__(self, session: UUID) -> bool:
        return session in self._until

    async def _on_message(self, message: dict[str, Any] | None) -> None:
        now = time.monotonic()
        if message is None:
            async with self._db.read() as tx:
                ended = await tx.fetch_all(queries.ENDED_RECENTLY, seconds=ACCESS_SECONDS)
        else:
            ended = [UUID(str(message["id"]))]
        for session in ended:
            self._until[session] = now + ACCESS_SECONDS
        # Entries are in the order of time, so the first ones are the oldest.
        while self._until and next(iter(self._until.values())) < now:
            del self._until[next(iter(self._until))]
