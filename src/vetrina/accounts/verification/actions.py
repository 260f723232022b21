"""One-time codes: six digits to an e-mail address or a phone, stored as an HMAC and checked by one statement.

A request writes the same rows and enqueues the same job for every identifier, whether it has an account or not; the job
looks up the recipient, so that neither the answer nor its time reveals whether there is an account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unicodedata
from uuid import UUID

import msgspec

from vetrina.accounts import queries as account_queries
from vetrina.accounts.identifiers import Identifier, mailbox
from vetrina.accounts.model import Caller, CodeKind, Kind, Language, Purpose, WrongPassword
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.sessions import failures
from vetrina.accounts.verification import queries
from vetrina.accounts.verification.model import (
    CodeClosed,
    ConfirmedIdentifier,
    IdentifierAccount,
    InvalidPurpose,
    SignInToConfirm,
    TooManyGuesses,
    WrongCode,
)
from vetrina.core import audit, usage
from vetrina.core.audit import Actor
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.jobs.queue import enqueue
from vetrina.core.rate_limits import Limits
from vetrina.core.services import Services

LIFETIME = 600
"""Seconds for which a code is valid."""
ATTEMPTS = 5
"""Wrong guesses that end a code; a new one can be requested at once."""
HOURLY_ATTEMPTS = 15
"""Wrong guesses for one identifier and purpose, over all codes and kinds, until no code is taken, for an hour after the last."""
CHANNELS = {
    "email_verify": {"email"},
    "phone_verify": {"phone"},
    "sign_in": {"phone"},
    "password_reset": {"email", "phone"},
    "email_change": {"email"},
    "phone_change": {"phone"},
}
"""The channels that a code of each purpose may be sent by."""


class SentCode(msgspec.Struct, frozen=True):
    """A code that is being sent: what the job's argument and a mail's link carry, sealed."""

    to: Identifier
    kind: CodeKind
    purpose: Purpose
    code: str
    expires: float
    language: Language = "en"
    change_of: UUID | None = None
    """The account that is being changed: a code for a change is right for no other."""


async def request_code(
    services: Services, to: Identifier, *, kind: CodeKind, purpose: Purpose, caller: Caller, change_of: UUID | None = None
) -> None:
    """Send a code, which replaces the one before. Does the same whether there is an account or not.

    Raises InvalidPurpose (422), RateLimited and TooManyGuesses (429).
    """
    require_channel(to, purpose)
    await count_request(services, to, caller.ip)
    async with services.db.tx() as tx:
        locked = await send_code(tx, services, to, kind=kind, purpose=purpose, language=caller.language, change_of=change_of)
    if locked:
        raise locked


async def count_request(services: Services, to: Identifier, address: str | None) -> None:
    """Count a message to this identifier, requested from this address. Raises RateLimited (429)."""
    rate_limits = services.get(Limits)
    await rate_limits.consume("codes_address", address or "unknown")
    await rate_limits.consume("codes_target", mailbox(to))
    await rate_limits.consume("codes_service", "all")


async def send_code(
    tx: Tx,
    services: Services,
    to: Identifier,
    *,
    kind: CodeKind,
    purpose: Purpose,
    language: Language,
    change_of: UUID | None = None,
) -> TooManyGuesses | None:
    """Send a code once the caller's transaction has committed; return the refusal while the identifier is locked."""
    sent = SentCode(to, kind, purpose, f"{secrets.randbelow(10**6):06}", time.time() + LIFETIME, language, change_of)
    code_id = await tx.fetch_optional(
        queries.UPSERT_CODE,
        kind=kind,
        purpose=purpose,
        target=to.value,
        id=new_id(),
        hash=_hash(services.keys[0], sent, sent.code),
        lifetime=LIFETIME,
        hourly=HOURLY_ATTEMPTS,
    )
    if code_id is None:
        refusal = await _locked(tx, sent)
        return refusal if isinstance(refusal, TooManyGuesses) else TooManyGuesses()
    await enqueue(tx, "accounts.send_code", queue="core", sent=seal(services.keys, sent))
    return None


async def check_code(
    tx: Tx,
    services: Services,
    to: Identifier,
    *,
    kind: CodeKind,
    purpose: Purpose,
    code: str,
    change_of: UUID | None = None,
    by_link: bool = False,
) -> bool:
    """Return whether the code is right, and consume it. A wrong guess is counted: commit whatever this returns.

    A code that a letter's link carried (`by_link`) is right whatever was guessed before. Raises CodeClosed (422) after too many
    wrong guesses for this code, TooManyGuesses (429) when the identifier is locked.
    """
    guess = SentCode(to, kind, purpose, digits(code), 0, change_of=change_of)
    is_right = await tx.fetch_optional(
        queries.CHECK_CODE,
        kind=kind,
        purpose=purpose,
        target=to.value,
        hashes=[_hash(key, guess, guess.code) for key in services.keys],
        attempts=ATTEMPTS,
        hourly=HOURLY_ATTEMPTS,
        by_link=by_link,
    )
    if is_right is None and (locked := await _locked(tx, guess)):
        raise locked
    return bool(is_right)


async def confirm(
    services: Services,
    to: Identifier,
    *,
    kind: Kind,
    purpose: Purpose,
    code: str,
    caller: Caller,
    account: UUID | None = None,
    by_link: bool = False,
) -> bool:
    """Confirm an address or a phone with its code, and return whether that ended earlier ways to sign in.

    `account` is the one that the client has proven to be, by its session or its password. Without that proof the first
    confirmation belongs to the owner of the identifier: password, sessions, second factor, identities and the other
    identifier end. Raises InvalidPurpose, WrongCode (422), SignInToConfirm (403), TooManyGuesses (429).
    """
    require_channel(to, purpose)
    if purpose not in {"email_verify", "phone_verify"}:
        raise InvalidPurpose
    async with services.db.tx() as tx:
        confirmed = None
        if await check_code(tx, services, to, kind=kind, purpose=purpose, code=code, by_link=by_link):
            confirmed = await confirm_identifier(tx, to, kind=kind, account=account)
        if confirmed is not None:
            if confirmed.outcome == "owned":
                raise SignInToConfirm
            await audit.set_actor(tx, Actor(kind, confirmed.account_id, caller.ip))
            await usage.record(tx, AccountId(confirmed.account_id), "identifier_confirmed", {"channel": to.channel})
    if confirmed is None:
        raise WrongCode
    return confirmed.outcome == "taken_over"


async def confirm_identifier(
    tx: Tx, to: Identifier, *, kind: Kind, account: UUID | None = None, password_hash: str | None = None
) -> ConfirmedIdentifier | None:
    """Confirm an identifier whose code was right, and set a new password with it; return None when it has no account."""
    return await tx.fetch_optional(
        queries.CONFIRM_IDENTIFIER, kind=kind, email=to.email, phone=to.phone, account=account, password_hash=password_hash
    )


async def prove_account(services: Services, to: Identifier, *, kind: Kind, password: str) -> UUID:
    """Return the account of an identifier whose password this is. Raises WrongPassword (403), Busy, RateLimited (429)."""
    failure = await failures.reserve(services, f"identifier {to.value}")
    async with services.db.read() as tx:
        account = await tx.fetch_optional(account_queries.CREDENTIALS, kind=kind, email=to.email, phone=to.phone)
    if not await services.get(Hasher).matches(account.password_hash if account else None, password) or account is None:
        raise WrongPassword
    await failures.give_back(services, failure)
    return account.id


async def accounts_of(tx: Tx, to: Identifier) -> list[IdentifierAccount]:
    """Return the active accounts that have this identifier: at most one of each kind."""
    return await tx.fetch_all(queries.ACCOUNTS_OF_IDENTIFIER, email=to.email, phone=to.phone)


def kind_of_page(purpose: Purpose, kind: Kind) -> CodeKind:
    """Return the kind that a page's code is for: where the code finds the account, a wrong tab does no harm."""
    return "any" if purpose in {"sign_in", "password_reset"} else kind


def require_channel(to: Identifier, purpose: Purpose) -> None:
    """Raise InvalidPurpose (422) when a code for this purpose does not go by this channel."""
    if to.channel not in CHANNELS[purpose]:
        raise InvalidPurpose


def digits(text: str) -> str:
    """Return the decimal digits of typed or pasted text, of any script: "۱۲۳ 456" is 123456."""
    return "".join(str(unicodedata.decimal(character)) for character in text[:64] if character.isdecimal())


def link_token(services: Services, sent: SentCode) -> str:
    """Return what a mail's link carries: the identifier, the purpose and the code, sealed, so that logs do not reveal them."""
    return seal(services.keys, sent)


def read_link(services: Services, token: str) -> SentCode | None:
    """Return what a link carries, or None for a forged or expired one."""
    try:
        sent = unseal(services.keys, token, SentCode)
    except Broken:
        return None
    return sent if sent.expires > time.time() else None


async def _locked(tx: Tx, sent: SentCode) -> TooManyGuesses | CodeClosed | None:
    """Return why no guess is taken: too many for the identifier, or for its code."""
    guesses = await tx.fetch_one(queries.GUESSES, kind=sent.kind, purpose=sent.purpose, target=sent.to.value)
    if guesses.in_last_hour >= HOURLY_ATTEMPTS:
        return TooManyGuesses(seconds=guesses.seconds_left)
    return CodeClosed() if guesses.of_code >= ATTEMPTS else None


def _hash(key: bytes, sent: SentCode, code: str) -> bytes:
    account = (str(sent.change_of),) if sent.change_of else ()
    message = "\0".join(("code", sent.purpose, sent.kind, sent.to.value, *account, code))
    return hmac.new(key, message.encode(), hashlib.sha256).digest()
