"""Jobs of one-time codes: sending and deleting them."""

from __future__ import annotations

import time

import structlog

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.notifications import queries as notification_queries
from vetrina.accounts.notifications import render
from vetrina.accounts.notifications.actions import Notification
from vetrina.accounts.notifications.model import Recipient
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification import queries
from vetrina.accounts.verification.actions import SentCode
from vetrina.core.encryption import Broken, unseal
from vetrina.core.jobs.queue import job
from vetrina.core.messages.outbox import post
from vetrina.core.services import Services

log = structlog.get_logger("vetrina.accounts")


@job("accounts.send_code", queue="core", attempts=6)
async def send_code(services: Services, *, sent: str) -> None:
    """Send a sealed code, if its identifier has an account. Done here so that the request's time reveals nothing."""
    try:
        code = unseal(services.keys, sent, SentCode)
    except Broken:
        log.warning("a code was sealed under a key that is no longer set")
        return
    if code.expires < time.time():
        return
    async with services.db.tx() as tx:
        kinds = ["user", "vendor"] if code.kind == "any" else [code.kind]
        recipients = await tx.fetch_all(notification_queries.RECIPIENTS, kinds=kinds, email=code.to.email, phone=code.to.phone)
        # One letter for both accounts of an identifier; that of the confirmed one if only one is.
        recipient = next((row for row in recipients if _is_confirmed(row, code.to)), next(iter(recipients), None))
        if code.purpose in {"email_change", "phone_change"}:
            # Asked for by an account that has shown its password. Whoever has the identifier already is only notified.
            if recipient is not None:
                letter = render.notice(services, code.to, Notification("registered_already", code.language))
            else:
                letter = render.code(services, code.to, code.purpose, code.language, code=code.code, link_token="")
            await post(tx, services, letter)
            return
        if recipient is None or (code.purpose.endswith("_verify") and _is_confirmed(recipient, code.to)):
            return
        if code.purpose == "sign_in" and not recipient.phone_verified:
            letter = render.unconfirmed(services, code.to, code.language)
        else:
            token = verification.link_token(services, code)
            letter = render.code(services, code.to, code.purpose, code.language, code=code.code, link_token=token)
        await post(tx, services, letter)


@job("accounts.forget_codes", queue="core", every="7,22,37,52 * * * *")
async def delete_old_codes(services: Services) -> None:
    """Delete codes that have expired, with their wrong guesses, an hour after the last guess."""
    async with services.db.tx() as tx:
        await tx.execute(queries.DELETE_OLD_CODES)


def _is_confirmed(recipient: Recipient, to: Identifier) -> bool:
    return recipient.email_verified if to.channel == "email" else recipient.phone_verified
