"""One-time codes: six digits to an e-mail address or a phone, kept as an HMAC, judged in one statement.

Whether there is an account is not looked up here: for every target the same rows are written and the same job is
put into the queue, which finds out later whether there is anybody to write to.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unicodedata
from typing import Literal

import msgspec

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.verification import queries
from vetrina.accounts.verification.model import TooManyGuesses
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import new_id
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.jobs.queue import enqueue
from vetrina.core.rate_limits import limits
from vetrina.core.services import Services

Purpose = Literal["email_verify", "phone_verify", "password_reset", "sign_in"]
Kind = Literal["user", "vendor"]
Language = Literal["en", "fa"]

LIFE = 600
"""Seconds that a code is good."""
ATTEMPTS = 5
"""Wrong guesses at one target for one purpose, whatever is sent anew; they are forgotten an hour after the last."""


class Sent(msgspec.Struct, frozen=True):
    """A code on its way: what the job and a letter's link carry, sealed."""

    to: Identifier
    kind: Kind
    purpose: Purpose
    code: str
    expires: float
    language: Language = "en"


async def ask(
    services: Services, to: Identifier, *, kind: Kind, purpose: Purpose, language: Language, address: str | None
) -> None:
    """Send a code, which takes the place of the one before. The same whether there is an account or not.

    Raises RateLimited and TooManyGuesses (429).
    """
    await allow(services, to, address)
    async with services.db.tx() as tx:
        closed = await send(tx, services, to, kind=kind, purpose=purpose, language=language)
    if closed:
        raise closed


async def allow(services: Services, to: Identifier, address: str | None) -> None:
    """Count a letter to this target, asked for from this address. Raises RateLimited (429)."""
    counted = services.part(limits)
    await counted.spend("codes_address", address or "unknown")
    await counted.spend("codes_target", to.value)
    await counted.spend("codes_service", "all")


async def send(
    tx: Tx, services: Services, to: Identifier, *, kind: Kind, purpose: Purpose, language: Language
) -> TooManyGuesses | None:
    """Send a code once the caller's transaction has committed; why not, if the target's guesses are used up."""
    sent = Sent(to, kind, purpose, f"{secrets.randbelow(10**6):06}", time.time() + LIFE, language)
    kept = await tx.maybe(
        queries.KEEP,
        kind=kind,
        purpose=purpose,
        target=to.value,
        id=new_id(),
        hash=_hash(services.keys[0], sent, sent.code),
        life=LIFE,
        attempts=ATTEMPTS,
    )
    if kept is None:
        return await _closed(tx, sent) or TooManyGuesses()
    await enqueue(tx, "accounts.send_code", queue="core", sent=seal(services.keys, sent))
    return None


async def judge(tx: Tx, services: Services, to: Identifier, *, kind: Kind, purpose: Purpose, code: str) -> bool:
    """Whether this is the code; it is used up then. A wrong guess counts, so commit whatever this returns.

    Raises TooManyGuesses (429), when nothing was judged.
    """
    guess = Sent(to, kind, purpose, digits(code), 0)
    right = await tx.maybe(
        queries.JUDGE,
        kind=kind,
        purpose=purpose,
        target=to.value,
        hashes=[_hash(key, guess, guess.code) for key in services.keys],
        attempts=ATTEMPTS,
    )
    if right is None and (closed := await _closed(tx, guess)):
        raise closed
    return bool(right)


def digits(text: str) -> str:
    """The digits of what was typed or pasted, in whatever script: "۱۲۳ 456" is 123456."""
    return "".join(str(unicodedata.decimal(each)) for each in text[:64] if each.isdecimal())


def link(services: Services, sent: Sent) -> str:
    """What a letter's link carries: whom and what it is for, and the code; unreadable in a log."""
    return seal(services.keys, sent)


def opened(services: Services, token: str) -> Sent | None:
    """What a link carries, or None for one that is not ours or is too old."""
    try:
        sent = unseal(services.keys, token, Sent)
    except Broken:
        return None
    return sent if sent.expires > time.time() else None


async def _closed(tx: Tx, sent: Sent) -> TooManyGuesses | None:
    seconds = await tx.maybe(
        queries.CLOSED_FOR, kind=sent.kind, purpose=sent.purpose, target=sent.to.value, attempts=ATTEMPTS
    )
    return TooManyGuesses(seconds=seconds) if seconds is not None else None


def _hash(key: bytes, sent: Sent, code: str) -> bytes:
    about = "\0".join(("code", sent.purpose, sent.kind, sent.to.value, code))
    return hmac.new(key, about.encode(), hashlib.sha256).digest()
