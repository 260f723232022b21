"""What other modules call: notify an account, withdraw what no longer holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.notifications import queries
from vetrina.notifications.model import Event


async def notify(
    tx: Tx,
    account: AccountId | UUID,
    kind: str,
    subject: str = "",
    *,
    actor: UUID | None = None,
    details: dict[str, Any] | None = None,
    repeats: bool = True,
) -> None:
    """Notify an account, once the caller's transaction has committed: on its page, by mail and push as it has chosen.

    `kind` is the name of a `NotificationKind` in the caller's MODULE; `subject` is what it is about, as its address has it (a
    conversation's id, "owner/post"). Notifications of one kind and subject are shown as one. `actor` is the account that caused
    it, if one did; it is not notified of what it does itself. `details` are values that the kind's words name. The same event of
    the same actor is new again where it `repeats` (a message, a comment), and changes nothing where it does not (a like).

    Blocks and mutes are the caller's to respect. Functions of the database call `notifications.notify(items)` in the same way.
    """
    await notify_all(tx, [Event(account, kind, subject, actor, details, repeats)])


async def notify_all(tx: Tx, events: Sequence[Event]) -> None:
    """Notify several accounts in one statement; see `notify`."""
    items = [
        {
            "account_id": str(event.account),
            "kind": event.kind,
            "subject": event.subject,
            "actor_account_id": str(event.actor) if event.actor else None,
            "details": event.details or {},
            "repeats": event.repeats,
        }
        for event in events
    ]
    if items:
        await tx.execute(queries.NOTIFY, items=Jsonb(items))


async def withdraw(tx: Tx, account: AccountId | UUID, kind: str, subject: str, *, actor: UUID | None = None) -> None:
    """Delete an account's notifications of a kind and subject, such as when its page is gone; with `actor` only those."""
    item = {"account_id": str(account), "kind": kind, "subject": subject, "actor_account_id": str(actor) if actor else None}
    await tx.execute(queries.WITHDRAW, items=Jsonb([item]))


async def withdraw_actor(tx: Tx, account: AccountId | UUID, actor: UUID) -> None:
    """Delete every notification of an account that `actor` caused, such as after a block."""
    await tx.execute(queries.WITHDRAW_ACTOR, account=account, actor=actor)
