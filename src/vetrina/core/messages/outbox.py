"""Outgoing mail and SMS: a job sends each message; a development site stores it in core.outbox, which a page shows."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Literal
from uuid import UUID

import msgspec
import structlog

from vetrina.core.database.connection import Statement, Tx
from vetrina.core.database.ids import new_id
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.jobs.queue import enqueue, job
from vetrina.core.messages import mail, sms
from vetrina.core.services import Services

log = structlog.get_logger("vetrina.outbox")


class Letter(msgspec.Struct, frozen=True):
    """A message to one recipient. An SMS has neither subject nor HTML."""

    channel: Literal["mail", "sms"]
    to: str
    text: str
    subject: str = ""
    html: str | None = None
    unsubscribe: str = ""
    """Address at which one POST stops mails of this kind (RFC 8058)."""


class OutboxRow(msgspec.Struct, frozen=True):
    """A message as the outbox page shows it."""

    id: UUID
    channel: str
    to: str
    subject: str
    text: str
    html: str | None
    at: datetime


KEEP = Statement(
    NoneType,
    """
    insert into core.outbox (id, channel, recipient, subject, body_text, body_html)
    values (%(id)s, %(channel)s, %(to)s, %(subject)s, %(text)s, %(html)s)
    on conflict (id) do nothing
    """,
)
LIST = Statement(
    OutboxRow,
    """
    select id, channel, recipient as to, subject, body_text as text, body_html as html, created_at as at
      from core.outbox where id < %(before)s and (%(to)s::text is null or recipient = %(to)s)
     order by id desc limit %(limit)s
    """,
)
FORGET = Statement(
    NoneType,
    """
    delete from core.outbox o using accounts.accounts a
     where a.id = %(account)s and o.recipient in (a.email, a.phone)
    """,
)


async def post(tx: Tx, services: Services, letter: Letter) -> None:
    """Send the message once the caller's transaction has committed. The queued job is encrypted.

    The identifier is minted here, so that the outbox lists messages in the order in which they were written, whichever
    worker is done first, and lists a message that is delivered again once.
    """
    await enqueue(tx, "core.deliver", queue="core", letter=seal(services.keys, letter), message_id=str(new_id()))


@job("core.deliver", queue="core", attempts=6)
async def deliver(services: Services, *, letter: str, message_id: str | None = None) -> None:
    """Send a message. A worker killed in between may send it twice, but never loses it.

    Jobs queued by versions before this one have no `message_id`.
    """
    try:
        opened = unseal(services.keys, letter, Letter)
    except Broken:
        log.warning("a letter was sealed under a key that is gone")
        return
    settings = services.settings
    if settings.development:
        async with services.db.tx() as tx:
            await tx.execute(
                KEEP,
                id=UUID(message_id) if message_id else new_id(),
                channel=opened.channel,
                to=opened.to,
                subject=opened.subject,
                text=opened.text,
                html=opened.html,
            )
    elif opened.channel == "mail":
        if not settings.smtp_url:
            log.error("a mail was not sent: VETRINA_SMTP_URL is not set")
            return
        message = mail.compose(
            settings,
            to=opened.to,
            subject=opened.subject,
            text=opened.text,
            html=opened.html,
            unsubscribe=opened.unsubscribe,
        )
        await mail.Server(settings.smtp_url).send(message)
    else:
        await _text(services, opened)


async def _text(services: Services, letter: Letter) -> None:
    provider = sms.provider(services.settings)
    if provider is None:
        log.error("an SMS was not sent: no provider is set")
        return
    try:
        await provider.send(to=letter.to, text=letter.text)
    except sms.SmsFailed as failed:
        if not failed.final:
            raise
        log.error("an SMS was refused", reason=str(failed))
