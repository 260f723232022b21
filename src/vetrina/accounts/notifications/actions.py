"""Notices about events of an account, sent by a job that looks up the recipient."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Kind, Language
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.encryption import seal
from vetrina.core.jobs.queue import enqueue
from vetrina.core.services import Services

Notice = Literal[
    "registered_already",
    "password_changed",
    "second_factor_on",
    "second_factor_off",
    "recovery_code_used",
    "identifier_released",
    "identifier_changed",
    "identifier_added",
    "identifier_undo",
    "identity_linked",
    "second_factor_removal",
    "publication_removed",
    "publication_restored",
    "credits_added",
    "credits_removed",
]


class Notification(msgspec.Struct, frozen=True):
    """A notice to be sent, to an identifier or to the owner of an account."""

    notice: Notice
    language: Language
    to: Identifier | None = None
    kind: Kind | None = None
    account: UUID | None = None
    undo: str = ""
    reason: str = ""
    """The words of an operator."""
    former: bool = False
    """Whether `to` is no longer the account's, and is written to all the same."""


async def notify_identifier(services: Services, to: Identifier, *, kind: Kind, notice: Notice, language: Language) -> None:
    """Send a notice to the account with this identifier; the caller has counted it by `verification.count_request`."""
    async with services.db.tx() as tx:
        await _enqueue(tx, services, Notification(notice, language, to, kind))


async def notify_account(
    tx: Tx, services: Services, account: AccountId, *, notice: Notice, language: Language, reason: str = "", undo: str = ""
) -> None:
    """Send a notice to every confirmed identifier of the account once the caller's transaction has committed.

    `reason` is an operator's, for notices that quote it. With `undo`, a link's token, none goes to an unconfirmed identifier.
    """
    await _enqueue(tx, services, Notification(notice, language, account=account, undo=undo, reason=reason))


async def send_undo(
    tx: Tx,
    services: Services,
    to: Identifier,
    *,
    notice: Literal["identifier_undo", "identifier_added"],
    undo: str,
    language: Language,
) -> None:
    """Send the link that undoes a change of identifiers, once the transaction has committed.

    It goes to the identifier that was replaced, or to the other one that the account had before.
    """
    await _enqueue(tx, services, Notification(notice, language, to, undo=undo, former=True))


async def _enqueue(tx: Tx, services: Services, notification: Notification) -> None:
    await enqueue(tx, "accounts.send_notice", queue="core", told=seal(services.keys, notification))
