"""What accounts do in the background: letters, domains looked up again, and forgetting."""

from __future__ import annotations

import time

import structlog

from vetrina.accounts.domains import actions as domains
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.identities import queries as queries_identities
from vetrina.accounts.notifications import render as letters
from vetrina.accounts.notifications.actions import Told
from vetrina.accounts.verification import queries as queries_codes
from vetrina.accounts.verification.actions import Sent
from vetrina.accounts.verification.model import Addressee
from vetrina.core.encryption import Broken, unseal
from vetrina.core.jobs.queue import job
from vetrina.core.messages.outbox import post
from vetrina.core.services import Services

log = structlog.get_logger("vetrina.accounts")


@job("accounts.send_code", queue="core", attempts=6)
async def send_code(services: Services, *, sent: str) -> None:
    """Write to whoever has the address, if anybody has. Here, not in the request, so that its time tells nothing."""
    try:
        code = unseal(services.keys, sent, Sent)
    except Broken:
        log.warning("a code was sealed under a key that is gone")
        return
    if code.expires < time.time():
        return
    async with services.db.tx() as tx:
        whose = await tx.maybe(queries_codes.ADDRESSEE, kind=code.kind, email=code.to.email, phone=code.to.phone)
        if whose is None or (code.purpose.endswith("_verify") and _confirmed(whose, code.to)):
            return
        barred = code.purpose == "sign_in" and not whose.phone_verified
        await post(tx, services, letters.unconfirmed(services, code) if barred else letters.code(services, code))


@job("accounts.send_notice", queue="core", attempts=6)
async def send_notice(services: Services, *, told: str) -> None:
    """Tell an account's owner what happened: by mail if there is an address, by SMS otherwise."""
    try:
        notice = unseal(services.keys, told, Told)
    except Broken:
        log.warning("a notice was sealed under a key that is gone")
        return
    async with services.db.tx() as tx:
        to = notice.to
        if to is not None:
            whose = await tx.maybe(queries_codes.ADDRESSEE, kind=notice.kind, email=to.email, phone=to.phone)
        else:
            whose = await tx.maybe(queries_codes.ADDRESSEE_BY_ID, account=notice.account)
        if whose is not None and (to := to or _reach(whose)):
            await post(tx, services, letters.notice(services, to, notice.notice, notice.language))


@job("accounts.forget_codes", queue="core", every="7,22,37,52 * * * *")
async def forget_codes(services: Services) -> None:
    """Codes that are over are forgotten, with their wrong guesses, an hour after the last."""
    async with services.db.tx() as tx:
        await tx.do(queries_codes.FORGET)


@job("accounts.check_domains", queue="core", every="*/5 * * * *")
async def check_domains(services: Services) -> None:
    """Look up the TXT records that are due."""
    await domains.check_due(services)


@job("accounts.forget_spent_nonces", queue="core", every="7 * * * *")
async def forget_spent_nonces(services: Services) -> None:
    """Nonces of sign-ins that nobody can finish any more."""
    async with services.db.tx() as tx:
        await tx.do(queries_identities.OLD_NONCES)


def _confirmed(whose: Addressee, to: Identifier) -> bool:
    return whose.email_verified if to.channel == "email" else whose.phone_verified


def _reach(whose: Addressee) -> Identifier | None:
    """Where to write to: what is confirmed rather than what is not, mail rather than SMS."""
    known = [("email", whose.email, whose.email_verified), ("phone", whose.phone, whose.phone_verified)]
    found = sorted((not confirmed, channel, value) for channel, value, confirmed in known if value)
    return Identifier("email" if found[0][1] == "email" else "phone", found[0][2]) if found else None
