"""Second factor: a code of an authenticator (TOTP, RFC 6238), or one of ten recovery codes."""

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

from vetrina.accounts.model import Caller, WrongPassword
from vetrina.accounts.notifications import actions as notifications
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.second_factor import queries
from vetrina.accounts.second_factor.model import SecondFactorDisabled, SecondFactorEnabled
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions import challenges, failures
from vetrina.accounts.sessions.actions import NewSession
from vetrina.accounts.sessions.model import ChallengeExpired
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.actions import ATTEMPTS
from vetrina.accounts.verification.model import TooManyGuesses, WrongCode
from vetrina.core import audit
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.encryption import seal, unseal
from vetrina.core.services import Services

LOCKED_SECONDS = 900
"""Seconds without an attempt after which wrong codes are forgotten."""
STEP = 30
"""Seconds of a time step."""
RECOVERY_CODES = 10
REMOVAL_DAYS = 3
"""Waiting period of a removal by an operator."""
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not mistaken for each other."""


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator is set up with; `qr` is `uri` as an SVG image."""

    secret: str
    uri: str
    qr: str


def data_url(enrolment: Enrolment) -> str:
    """Return the QR code as a data URL."""
    return "data:image/svg+xml;base64," + base64.b64encode(enrolment.qr.encode()).decode()


async def begin(services: Services, account: AccountId, *, password: str | None) -> Enrolment:
    """Create a secret, which has no effect until one of its codes is confirmed.

    An account without a password needs none. Raises WrongPassword (403), SecondFactorEnabled (409), RateLimited (429).
    """
    label, _ = await _check_password(services, account, password)
    secret = random_base32()
    async with services.db.tx() as tx:
        if await tx.fetch_optional(queries.BEGIN, account=account, secret=seal(services.keys, secret)) is None:
            raise SecondFactorEnabled
    return _enrolment(label, secret)


async def unconfirmed_enrolment(services: Services, account: AccountId) -> Enrolment | None:
    """Return the enrolment that has begun and is not confirmed, to show it again."""
    async with services.db.tx() as tx:
        row = await tx.fetch_optional(queries.LOCK, account=account)
        proof = await tx.fetch_one(queries.OWNER_PROOF, account=account)
    if row is None or row.confirmed_at is not None:
        return None
    return _enrolment(proof.label, unseal(services.keys, row.secret, str))


async def confirm(services: Services, account: AccountId, *, code: str, caller: Caller) -> list[str]:
    """Turn the second factor on and return ten recovery codes, of which only hashes are stored.

    Raises WrongCode (422), SecondFactorDisabled, SecondFactorEnabled (409), TooManyGuesses (429).
    """
    async with services.db.tx() as tx:
        is_right = await _check_code(tx, services, account, code, confirmed=False)
        if is_right:
            await audit.set_actor(tx, caller.actor)
            codes = await _replace_recovery_codes(tx, services, account)
            await notifications.notify_account(tx, services, account, notice="second_factor_on", language=caller.language)
            return codes
    raise WrongCode


async def renew_recovery_codes(
    services: Services, account: AccountId, *, password: str | None, code: str | None = None
) -> list[str]:
    """Replace the recovery codes and return the ten new ones; the proof is that of `remove`.

    Raises WrongPassword (403), WrongCode (422), SecondFactorDisabled (409), RateLimited, TooManyGuesses (429).
    """
    await check_owner(services, account, password=password, code=code)
    async with services.db.tx() as tx:
        row = await tx.fetch_optional(queries.LOCK, account=account)
        if row is None or row.confirmed_at is None:
            raise SecondFactorDisabled
        return await _replace_recovery_codes(tx, services, account)


async def remove(services: Services, account: AccountId, *, password: str | None, code: str | None, caller: Caller) -> None:
    """Turn the second factor off, with a code (a recovery code will do) and, if the account has one, the password.

    Raises WrongPassword (403), WrongCode (422), SecondFactorDisabled (409), RateLimited, TooManyGuesses (429).
    """
    await check_owner(services, account, password=password, code=code)
    async with services.db.tx() as tx:
        if await tx.fetch_optional(queries.REMOVE, account=account) is None:
            raise SecondFactorDisabled
        await audit.set_actor(tx, caller.actor)
        await notifications.notify_account(tx, services, account, notice="second_factor_off", language=caller.language)


async def open_session(services: Services, *, challenge: str, code: str, caller: Caller) -> NewSession:
    """Pass the second step of a sign-in. Raises ChallengeExpired (401), WrongCode (422), TooManyGuesses (429)."""
    first_step = challenges.read(services, challenge)
    account = AccountId(first_step.challenged)
    try:
        async with services.db.tx() as tx:
            is_right = await _check_code(tx, services, account, code)
            if is_right:
                await cancel_removal(tx, account)
            if is_right and not _is_totp(code):
                await notifications.notify_account(tx, services, account, notice="recovery_code_used", language=caller.language)
    except SecondFactorDisabled:
        raise ChallengeExpired from None
    if not is_right:
        raise WrongCode
    return await sessions.open_session(services, account, caller, fingerprint=first_step.fingerprint, second_factor_passed=True)


async def _check_code(tx: Tx, services: Services, account: AccountId, code: str, *, confirmed: bool = True) -> bool:
    """Return whether the code is right, and consume it. A wrong one is counted: commit whatever this returns."""
    row = await tx.fetch_optional(queries.LOCK, account=account)
    if row is None or (confirmed and row.confirmed_at is None):
        raise SecondFactorDisabled
    if not confirmed and row.confirmed_at is not None:
        raise SecondFactorEnabled
    wrong_codes = row.attempt_count if row.seconds_since < LOCKED_SECONDS else 0
    if wrong_codes >= ATTEMPTS:
        raise TooManyGuesses(seconds=round(LOCKED_SECONDS - row.seconds_since))
    step = 0
    if _is_totp(code):
        step = _time_step(unseal(services.keys, row.secret, str), verification.digits(code))
        is_right = step > row.last_step
    elif confirmed:
        hashes = [_hash(key, account, code) for key in services.keys]
        is_right = await tx.fetch_optional(queries.USE_RECOVERY_CODE, account=account, hashes=hashes) is not None
    else:
        is_right = False
    if is_right:
        await tx.execute(queries.ACCEPT_CODE, account=account, step=step)
    else:
        await tx.execute(queries.COUNT_WRONG_CODE, account=account, count=wrong_codes + 1)
    return is_right


async def _replace_recovery_codes(tx: Tx, services: Services, account: AccountId) -> list[str]:
    codes = ["-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    await tx.execute(queries.DELETE_RECOVERY_CODES, account=account)
    hashes = [_hash(services.keys[0], account, code) for code in codes]
    await tx.execute(queries.INSERT_RECOVERY_CODES, account=account, hashes=hashes)
    return codes


async def _check_password(services: Services, account: AccountId, password: str | None) -> tuple[str, bool]:
    """Return the account's label and whether it has a password. Raises WrongPassword (403) unless it is the given one."""
    failure = await failures.reserve(services, f"account {account}")
    async with services.db.read() as tx:
        proof = await tx.fetch_one(queries.OWNER_PROOF, account=account)
    if proof.password_hash is not None and not await services.get(Hasher).matches(proof.password_hash, password or ""):
        raise WrongPassword
    await failures.give_back(services, failure)
    return proof.label, proof.password_hash is not None


async def check_owner(
    services: Services, account: AccountId, *, password: str | None, code: str | None, password_required: bool = False
) -> bool:
    """Check the password, if the account has one, and a code, if its second factor is on; return whether anything was checked.

    With `password_required` only a password counts. Raises WrongPassword (403), WrongCode (422), RateLimited,
    TooManyGuesses (429).
    """
    _, has_password = await _check_password(services, account, password)
    async with services.db.read() as tx:
        state = await tx.fetch_one(queries.STATE, account=account)
    if state.enabled:
        async with services.db.tx() as tx:
            is_right = await _check_code(tx, services, account, code or "")
        if not is_right:
            raise WrongCode
    return has_password if password_required else has_password or state.enabled


async def request_removal(tx: Tx, services: Services, account: AccountId) -> None:
    """Remove the second factor in three days, for its owner who has lost it; every confirmed identifier is notified.

    Signing in with the second factor cancels it. Raises SecondFactorDisabled (409).
    """
    if await tx.execute(queries.REQUEST_REMOVAL, account=account, days=REMOVAL_DAYS):
        await notifications.notify_account(tx, services, account, notice="second_factor_removal", language="en")


async def cancel_removal(tx: Tx, account: AccountId) -> None:
    """Cancel a requested removal; does nothing without one."""
    await tx.execute(queries.CANCEL_REMOVAL, account=account)


async def remove_due(services: Services) -> int:
    """Remove the second factors whose waiting period is over; return their number."""
    async with services.db.tx() as tx:
        accounts = await tx.fetch_all(queries.REMOVE_DUE)
        for account in accounts:
            await notifications.notify_account(tx, services, AccountId(account), notice="second_factor_off", language="en")
    return len(accounts)


def _enrolment(label: str, secret: str) -> Enrolment:
    uri = str(TOTP(secret).provisioning_uri(name=label, issuer_name="Vetrina"))
    picture = BytesIO()
    # Black on white in both themes, as readers expect; without a size in pixels it fills its container.
    segno.make_qr(uri, error="m").save(picture, kind="svg", xmldecl=False, svgns=True, omitsize=True, light="#fff", border=3)
    return Enrolment(secret, uri, picture.getvalue().decode())


def _time_step(secret: str, code: str) -> int:
    """Return the time step of a code, one to each side of now; 0 for none."""
    totp, now = TOTP(secret, interval=STEP), int(time.time()) // STEP
    steps = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(totp.generate_otp(step), code)]
    return max(steps, default=0)


def _is_totp(code: str) -> bool:
    return len(verification.digits(code)) == 6 and not any(character.isalpha() for character in code)


def _hash(key: bytes, account: AccountId, code: str) -> bytes:
    plain = "".join(character for character in code.lower() if character.isalnum())[:64]
    return hmac.new(key, f"recovery\0{account}\0{plain}".encode(), hashlib.sha256).digest()
