"""The job that sends notices."""

from __future__ import annotations

import msgspec
import structlog

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.notifications import queries, render
from vetrina.accounts.notifications.actions import Notification
from vetrina.accounts.notifications.model import Recipient
from vetrina.core.encryption import Broken, unseal
from vetrina.core.jobs.queue import job
from vetrina.core.messages.outbox import post
from vetrina.core.services import Services
from vetrina.web import i18n

log = structlog.get_logger("vetrina.accounts")


@job("accounts.send_notice", queue="core", attempts=6)
async def send_notice(services: Services, *, told: str) -> None:
    """Send a sealed notification by mail and SMS to the account's contacts, in the language that the account has chosen."""
    try:
        notification = unseal(services.keys, told, Notification)
    except Broken:
        log.warning("a notification was sealed under a key that is no longer set")
        return
    async with services.db.tx() as tx:
        to = notification.to
        if to is not None and notification.former:
            letter = render.notice(services, to, notification)
            await post(tx, services, letter)
            return
        if to is not None:
            recipient = await tx.fetch_optional(queries.RECIPIENT, kind=notification.kind, email=to.email, phone=to.phone)
        else:
            recipient = await tx.fetch_optional(queries.RECIPIENT_BY_ID, account=notification.account)
        if recipient is None:
            return
        language = i18n.named(recipient.language) or notification.language
        notification = msgspec.structs.replace(notification, language=language)
        for contact in [to] if to is not None else contacts(recipient, confirmed_only=bool(notification.undo)):
            await post(tx, services, render.notice(services, contact, notification))


def contacts(recipient: Recipient, *, confirmed_only: bool = False) -> list[Identifier]:
    """Return every confirmed identifier; without one, the address or else the phone that the account claims.

    An unconfirmed one may be a stranger's: with `confirmed_only` it gets nothing.
    """
    identifiers = [
        (recipient.email_verified, Identifier("email", recipient.email)) if recipient.email else None,
        (recipient.phone_verified, Identifier("phone", recipient.phone)) if recipient.phone else None,
    ]
    pairs = [pair for pair in identifiers if pair]
    confirmed = [identifier for is_confirmed, identifier in pairs if is_confirmed]
    return confirmed if confirmed or confirmed_only else [identifier for _, identifier in pairs[:1]]
