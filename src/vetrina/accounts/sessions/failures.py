"""Failed sign-ins: counted by identifier for unknown devices, and by device for known ones.

Twenty failures may come at once and are won back evenly over five hours (`limits.sign_in_target`), so that a password is
guessed about a hundred times a day at most, from however many addresses. A device that has signed in to the account before has
a count of its own: failures elsewhere do not keep its owner out.
"""

from __future__ import annotations

import hashlib
import hmac

from vetrina.accounts.sessions import queries
from vetrina.core.rate_limits import RateLimited
from vetrina.core.services import Services


async def reserve(services: Services, subject: str) -> bytes:
    """Count a sign-in as failed before its password is checked, and return its key for `give_back`.

    Counting first keeps parallel guesses within the limit. Raises RateLimited (429) when the limit is used up.
    """
    key = hmac.new(services.keys[0], f"sign-in\0{subject}".encode(), hashlib.sha256).digest()
    async with services.db.tx() as tx:
        wait = await tx.fetch_optional(queries.COUNT_FAILURE, subject=key)
    if wait is not None:
        raise RateLimited(seconds=wait)
    return key


async def give_back(services: Services, key: bytes) -> None:
    """Remove the reservation of a sign-in that succeeded."""
    async with services.db.tx() as tx:
        await tx.execute(queries.REMOVE_FAILURE, subject=key)
