"""The link that stops the daily mail: it names the account, sealed with the site's keys."""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.errors import NotFound
from vetrina.core.services import Services


class Unsubscription(msgspec.Struct, frozen=True, tag=True):
    """What a link is for."""

    account: UUID


def address(services: Services, account: UUID) -> str:
    """Return the address that stops an account's daily mail."""
    return f"{services.settings.address}/unsubscribe/{seal(services.keys, Unsubscription(account))}"


def account_of(services: Services, token: str) -> UUID:
    """Return the account of a link's token. Raises NotFound (404)."""
    try:
        return unseal(services.keys, token, Unsubscription).account
    except Broken:
        raise NotFound from None
