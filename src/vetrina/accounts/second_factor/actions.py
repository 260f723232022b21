"""The second factor: a code of an authenticator (TOTP, RFC 6238), or one of ten recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from io import BytesIO

import msgspec
import segno
from pyotp import random_base32
from pyotp.totp import TOTP

from vetrina.accounts.notifications import actions as notices
from vetrina.accounts.passwords import hasher
from vetrina.accounts.second_factor import queries
from vetrina.accounts.sessions import challenges
from vetrina.accounts.sign_in import actions
from vetrina.accounts.sign_in.actions import Device, Opened
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification.actions import ATTEMPTS, Language
from vetrina.accounts.verification.model import (
    ChallengeExpired,
    SecondFactorDisabled,
    SecondFactorEnabled,
    TooManyGuesses,
    WrongCode,
    WrongPassword,
)
from vetrina.core import audit
from vetrina.core.audit import Actor
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.encryption import seal, unseal
from vetrina.core.rate_limits import limits
from vetrina.core.services import Services

CLOSED = 900
"""Seconds without a try after which wrong codes are forgotten."""
STEP = 30
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like another."""


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator needs; `qr` is `uri` as an SVG picture."""

    secret: str
    uri: str
    qr: str


def data_url(enrolment: Enrolment) -> str:
    """Its picture as an address that an <img> takes."""
    return "data:image/svg+xml;base64," + base64.b64encode(enrolment.qr.encode()).decode()


async def begin(services: Services, account: AccountId, *, password: str | None) -> Enrolment:
    """A new secret, which counts for nothing until a code of it was confirmed.

    Raises WrongPassword (403; an account without a password needs none), SecondFactorEnabled (409), RateLimited (429).
    """
    label, _ = await _prove(services, account, password)
    secret = random_base32()
    async with services.db.tx() as tx:
        if await tx.maybe(queries.BEGIN, account=account, secret=seal(services.keys, secret)) is None:
            raise SecondFactorEnabled
    return _enrolment(label, secret)


async def begun(services: Services, account: AccountId) -> Enrolment | None:
    """What was begun and not yet confirmed, to show it again."""
    async with services.db.tx() as tx:
        row = await tx.maybe(queries.LOCK, account=account)
        proof = await tx.one(queries.PROOF, account=account)
    if row is None or row.confirmed_at is not None:
        return None
    return _enrolment(proof.label, unseal(services.keys, row.secret, str))


async def confirm(services: Services, account: AccountId, *, code: str, language: Language, actor: Actor) -> list[str]:
    """From now on it is needed; ten recovery codes, of which only hashes are kept.

    Raises WrongCode (422), SecondFactorDisabled, SecondFactorEnabled (409), TooManyGuesses (429).
    """
    async with services.db.tx() as tx:
        right = await _judge(tx, services, account, code, confirmed=False)
        if right:
            await audit.acting(tx, actor)
            fresh = await _renew(tx, services, account)
            await notices.tell_account(tx, services, account, notice="second_factor_on", language=language)
            return fresh
    raise WrongCode


async def renew(services: Services, account: AccountId, *, password: str | None, code: str | None = None) -> list[str]:
    """Ten new recovery codes; the old ones are good no more.

    Raises WrongPassword (403), WrongCode (422), SecondFactorDisabled (409), RateLimited, TooManyGuesses (429).
    """
    await _prove_twice(services, account, password, code)
    async with services.db.tx() as tx:
        row = await tx.maybe(queries.LOCK, account=account)
        if row is None or row.confirmed_at is None:
            raise SecondFactorDisabled
        return await _renew(tx, services, account)


async def remove(
    services: Services, account: AccountId, *, password: str | None, code: str | None, language: Language, actor: Actor
) -> None:
    """Turn it off: with the password or, in an account that has none, a code.

    Raises WrongPassword (403), WrongCode (422), SecondFactorDisabled (409), RateLimited, TooManyGuesses (429).
    """
    await _prove_twice(services, account, password, code)
    async with services.db.tx() as tx:
        if await tx.maybe(queries.REMOVE, account=account) is None:
            raise SecondFactorDisabled
        await audit.acting(tx, actor)
        await notices.tell_account(tx, services, account, notice="second_factor_off", language=language)


async def enter(services: Services, *, challenge: str, code: str, device: Device, language: Language) -> Opened:
    """The second step of signing in. Raises ChallengeExpired (401), WrongCode (422), TooManyGuesses (429)."""
    first = challenges.read(services, challenge)
    account = AccountId(first.challenged)
    try:
        async with services.db.tx() as tx:
            right = await _judge(tx, services, account, code)
            if right and not _is_totp(code):
                await notices.tell_account(tx, services, account, notice="recovery_code_used", language=language)
    except SecondFactorDisabled:
        raise ChallengeExpired from None
    if not right:
        raise WrongCode
    return await actions.enter(services, account, device, fingerprint=first.fingerprint, proven=True)


async def _judge(tx: Tx, services: Services, account: AccountId, code: str, *, confirmed: bool = True) -> bool:
    """Whether the code is right, once. A wrong one counts, so commit whatever this returns."""
    row = await tx.maybe(queries.LOCK, account=account)
    if row is None or (confirmed and row.confirmed_at is None):
        raise SecondFactorDisabled
    if not confirmed and row.confirmed_at is not None:
        raise SecondFactorEnabled
    wrong = row.attempt_count if row.seconds_since < CLOSED else 0
    if wrong >= ATTEMPTS:
        raise TooManyGuesses(seconds=round(CLOSED - row.seconds_since))
    step = 0
    if _is_totp(code):
        step = _step(unseal(services.keys, row.secret, str), codes.digits(code))
        right = step > row.last_step
    elif confirmed:
        hashes = [_hash(key, account, code) for key in services.keys]
        right = await tx.maybe(queries.USE_RECOVERY_CODE, account=account, hashes=hashes) is not None
    else:
        right = False
    if right:
        await tx.do(queries.RIGHT, account=account, step=step)
    else:
        await tx.do(queries.WRONG, account=account, count=wrong + 1)
    return right


async def _renew(tx: Tx, services: Services, account: AccountId) -> list[str]:
    fresh = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    await tx.do(queries.FORGET_RECOVERY_CODES, account=account)
    hashes = [_hash(services.keys[0], account, each) for each in fresh]
    await tx.do(queries.KEEP_RECOVERY_CODES, account=account, hashes=hashes)
    return fresh


async def _prove(services: Services, account: AccountId, password: str | None) -> tuple[str, bool]:
    """What the account is called, and whether it has a password; the given one is it then. Raises WrongPassword (403)."""
    await services.part(limits).spend("sign_in_target", str(account))
    async with services.db.read() as tx:
        proof = await tx.one(queries.PROOF, account=account)
    if proof.password_hash is not None and not await services.part(hasher).matches(proof.password_hash, password or ""):
        raise WrongPassword
    return proof.label, proof.password_hash is not None


async def _prove_twice(services: Services, account: AccountId, password: str | None, code: str | None) -> None:
    """By the password or, where there is none, by a code."""
    _, has_password = await _prove(services, account, password)
    if not has_password:
        async with services.db.tx() as tx:
            right = await _judge(tx, services, account, code or "")
        if not right:
            raise WrongCode


def _enrolment(label: str, secret: str) -> Enrolment:
    uri = str(TOTP(secret).provisioning_uri(name=label, issuer_name="Vetrina"))
    picture = BytesIO()
    # Black on white in both themes: readers want it so. Without the size in pixels it grows with its place.
    segno.make(uri, error="m").save(picture, kind="svg", xmldecl=False, svgns=True, omitsize=True, light="#fff", border=3)
    return Enrolment(secret, uri, picture.getvalue().decode())


def _step(secret: str, code: str) -> int:
    """The step of time that this is the code of, one to each side of now; 0 for none."""
    totp, now = TOTP(secret, interval=STEP), int(time.time()) // STEP
    found = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(totp.generate_otp(step), code)]
    return max(found, default=0)


def _is_totp(code: str) -> bool:
    return len(codes.digits(code)) == 6 and not any(each.isalpha() for each in code)


def _hash(key: bytes, account: AccountId, code: str) -> bytes:
    plain = "".join(each for each in code.lower() if each.isalnum())[:64]
    return hmac.new(key, f"recovery\0{account}\0{plain}".encode(), hashlib.sha256).digest()
