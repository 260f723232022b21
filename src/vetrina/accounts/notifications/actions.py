"""Letters that ask for nothing: what happened to one's account. A job looks up whom they go to."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.verification.actions import Kind, Language
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.encryption import seal
from vetrina.core.jobs.queue import enqueue
from vetrina.core.services import Services

Notice = Literal["registered_already", "password_changed", "second_factor_on", "second_factor_off", "recovery_code_used"]


class Told(msgspec.Struct, frozen=True):
    """A notice on its way, to an address or to whom an account belongs."""

    notice: Notice
    language: Language
    to: Identifier | None = None
    kind: Kind | None = None
    account: UUID | None = None


async def tell(services: Services, to: Identifier, *, kind: Kind, notice: Notice, language: Language) -> None:
    """Tell whoever has this address; `codes.allow` must have allowed it."""
    async with services.db.tx() as tx:
        await _post(tx, services, Told(notice, language, to, kind))


async def tell_account(tx: Tx, services: Services, account: AccountId, *, notice: Notice, language: Language) -> None:
    """Tell the account's owner, once the caller's transaction has committed."""
    await _post(tx, services, Told(notice, language, account=account))


async def _post(tx: Tx, services: Services, told: Told) -> None:
    await enqueue(tx, "accounts.send_notice", queue="core", told=seal(services.keys, told))
