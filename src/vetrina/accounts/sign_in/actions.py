"""Registration, and signing in with a password or a code."""

from __future__ import annotations

import contextlib
import time
from uuid import UUID

from vetrina.accounts import identifiers, queries
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.known_devices import KnownDevice
from vetrina.accounts.model import (
    Caller,
    CodeKind,
    EmailTaken,
    InvalidEmail,
    InvalidPhone,
    Kind,
    PhoneTaken,
    Purpose,
    WrongCredentials,
)
from vetrina.accounts.notifications import actions as notifications
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions import challenges, failures
from vetrina.accounts.sessions.actions import NewSession
from vetrina.accounts.sign_in import queries as sign_in_queries
from vetrina.accounts.sign_in.model import ChoiceExpired, ChooseKind, KindChoice, KindCredentials
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.model import IdentifierAccount, WrongCode
from vetrina.core import usage
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.errors import Busy
from vetrina.core.rate_limits import Limits, RateLimited
from vetrina.core.services import Services


async def register(
    services: Services,
    *,
    email: str | None,
    password: str,
    name: str | None,
    kind: Kind,
    caller: Caller,
    phone: str | None = None,
) -> NewSession:
    """Create an account, open its first session and send a code to each identifier.

    Triggers give it its free plan at once and its welcome tokens with the first confirmed identifier. Raises
    EmailTaken, PhoneTaken (409), OneIdentifier, InvalidEmail, InvalidPhone, InvalidName, WeakPassword (422), Busy,
    RateLimited (429).
    """
    given = identifiers.parse_identifiers(email, phone, services.settings.phone_region)
    await services.get(Limits).consume("registrations", caller.ip or "unknown")
    password_hash = await services.get(Hasher).hash(password)
    recipients: list[Identifier] = []
    for identifier in given:
        with contextlib.suppress(RateLimited):  # a code can be requested later
            await verification.count_request(services, identifier, caller.ip)
            recipients.append(identifier)
    try:
        async with services.db.tx() as tx:
            account = await tx.fetch_one(
                queries.INSERT_ACCOUNT,
                id=new_id(),
                kind=kind,
                email=next((identifier.email for identifier in given if identifier.email), None),
                phone=next((identifier.phone for identifier in given if identifier.phone), None),
                password_hash=password_hash,
                name=(name or "").strip() or None,
            )
            token = await sessions.insert_session(tx, account.id, caller)
            await usage.record(tx, AccountId(account.id), "account_registered", {"kind": kind})
            for identifier in recipients:
                purpose: Purpose = "email_verify" if identifier.channel == "email" else "phone_verify"
                await verification.send_code(tx, services, identifier, kind=kind, purpose=purpose, language=caller.language)
    except (EmailTaken, PhoneTaken) as taken:
        # The owner of the identifier is notified; the client learns only that it is taken.
        identifier = next(identifier for identifier in given if identifier.channel == taken.field)
        if identifier in recipients:
            await notifications.notify_identifier(
                services, identifier, kind=kind, notice="registered_already", language=caller.language
            )
        raise
    return NewSession(account, token)


async def sign_in(
    services: Services,
    *,
    email: str | None,
    password: str,
    kind: Kind | None,
    caller: Caller,
    phone: str | None = None,
    known_device: KnownDevice | None = None,
) -> NewSession:
    """Open a session for an identifier and its password: of this kind of account, or with None of whichever fits.

    Raises WrongCredentials (401) in the same time whatever was wrong, SecondFactorNeeded (401), ChooseKind (409) when the
    accounts of both kinds fit, Busy, RateLimited (429) after too many failures.
    """
    try:
        identifier = identifiers.parse_identifier(email, phone, services.settings.phone_region)
    except (InvalidEmail, InvalidPhone):
        identifier = identifiers.NO_IDENTIFIER
    async with services.db.read() as tx:
        rows = await tx.fetch_all(sign_in_queries.CREDENTIALS_OF_KINDS, email=identifier.email, phone=identifier.phone)
    by_kind = {row.kind: row for row in rows}
    is_known = known_device is not None and not {row.id for row in rows}.isdisjoint(known_device.signed_in)
    failure = await failures.reserve(
        services, f"device {known_device.device}" if known_device and is_known else f"identifier {identifier.value}"
    )
    kinds: tuple[Kind, ...] = (kind,) if kind else ("user", "vendor")
    matching: list[KindCredentials] = []
    try:
        for candidate in kinds:
            row = by_kind.get(candidate)
            if await services.get(Hasher).matches(row.password_hash if row else None, password) and row and row.is_active:
                matching.append(row)
    except Busy:
        await failures.give_back(services, failure)
        raise
    if not matching:
        raise WrongCredentials
    await failures.give_back(services, failure)
    if len(matching) > 1:
        choices: dict[Kind, tuple[UUID, str]] = {row.kind: (row.id, row.fingerprint) for row in matching}
        raise ChooseKind(sealed=seal(services.keys, KindChoice(choices, time.time() + challenges.LIFETIME)))
    return await sessions.open_session(services, AccountId(matching[0].id), caller, fingerprint=matching[0].fingerprint)


async def sign_in_to_kind(services: Services, *, choice: str, kind: Kind, caller: Caller) -> NewSession:
    """Open a session for one of the two accounts of a ChooseKind. Raises ChoiceExpired, SecondFactorNeeded (401)."""
    try:
        sealed = unseal(services.keys, choice, KindChoice)
    except Broken:
        raise ChoiceExpired from None
    if sealed.choice_expires < time.time() or kind not in sealed.choices:
        raise ChoiceExpired
    account, fingerprint = sealed.choices[kind]
    return await sessions.open_session(services, AccountId(account), caller, fingerprint=fingerprint)


async def sign_in_by_code(
    services: Services, *, phone: str, code: str, kind: CodeKind, caller: Caller, chosen: Kind | None = None
) -> NewSession:
    """Open a session for a code that was sent for `sign_in` to an account of this kind.

    With the kind "any", the account that there is; `chosen` decides between two. Raises WrongCode (422), ChooseKind (409; the
    code stays valid), SecondFactorNeeded (401), TooManyGuesses (429).
    """
    identifier = identifiers.parse_identifier(None, phone, services.settings.phone_region)
    async with services.db.tx() as tx:
        is_right = await verification.check_code(tx, services, identifier, kind=kind, purpose="sign_in", code=code)
        # A code identifies the owner only where the number was confirmed before: anyone can register with another person's
        # number and a password of their own.
        rows = [row for row in await verification.accounts_of(tx, identifier) if row.is_confirmed] if is_right else []
        account = choose_account(rows, kind, chosen)
    if account is None:
        raise WrongCode
    return await sessions.open_session(services, AccountId(account.id), caller)


def choose_account(rows: list[IdentifierAccount], kind: CodeKind, chosen: Kind | None) -> IdentifierAccount | None:
    """Return the account that a right code is for, or None. Raises ChooseKind (409) when it is for two."""
    account_kind = chosen if kind == "any" else kind
    fitting = [row for row in rows if account_kind is None or row.kind == account_kind]
    if len(fitting) > 1:
        raise ChooseKind("You have two accounts with this: your own and that of a business.")
    return fitting[0] if fitting else None
