"""Signing in through an OpenID Connect provider, and linking identities. Issuer and subject identify, never the address."""

from __future__ import annotations

import hashlib
from uuid import UUID

from vetrina.accounts.identities import queries
from vetrina.accounts.identities.model import (
    AccountDisabled,
    AccountExistsLinkRequired,
    IdentityRow,
    IdentityTaken,
    SignInExpired,
    UndoIdentityLink,
    WrongAccountKind,
)
from vetrina.accounts.identities.providers import MINUTES, AuthorizationResponse, PendingAuthorization, Providers
from vetrina.accounts.model import Caller, EmailTaken
from vetrina.accounts.notifications import actions as notifications
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions.actions import NewSession
from vetrina.clients.oidc import Identified
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.encryption import seal
from vetrina.core.services import Services


async def sign_in(
    services: Services, pending: PendingAuthorization, response: AuthorizationResponse, caller: Caller
) -> NewSession:
    """Open a session for the identity in a provider's response; create an account for a new identity.

    Raises SignInExpired (400), SignInFailed, SecondFactorNeeded (401), AccountDisabled (403), WrongAccountKind,
    AccountExistsLinkRequired (409), ProviderUnavailable (503).
    """
    if pending.link_to is not None:
        raise SignInExpired
    identity = await services.get(Providers).finish(pending, response)
    try:
        account = await _find_or_register(services, pending, identity)
    except (IdentityTaken, EmailTaken):
        # Two first sign-ins may have run at once, and the other one created the account.
        try:
            account = await _find_or_register(services, pending, identity)
        except EmailTaken:
            raise AccountExistsLinkRequired from None
    return await sessions.open_session(services, AccountId(account), caller)


async def _find_or_register(services: Services, pending: PendingAuthorization, identity: Identified) -> UUID:
    async with services.db.tx() as tx:
        await _spend_nonce(tx, pending)
        account = await tx.fetch_optional(
            queries.IDENTITY_ACCOUNT, issuer=identity.issuer, subject=identity.subject, email=identity.email
        )
        if account is None:
            return await _register(tx, pending, identity)
        if not account.is_active:
            raise AccountDisabled
        if account.kind != pending.kind:
            raise WrongAccountKind
        return account.id


async def _register(tx: Tx, pending: PendingAuthorization, identity: Identified) -> UUID:
    email = identity.email.lower() if identity.email else None
    account = await tx.fetch_one(queries.INSERT_ACCOUNT, id=new_id(), kind=pending.kind, email=email, name=identity.name)
    await tx.fetch_one(queries.INSERT, account=account, id=new_id(), **_columns(pending, identity))
    await usage.record(tx, AccountId(account), "account_registered", {"kind": pending.kind, "provider": pending.provider})
    return account


async def link(
    services: Services,
    pending: PendingAuthorization,
    response: AuthorizationResponse,
    account: AccountId,
    session: UUID,
    *,
    caller: Caller,
) -> IdentityRow:
    """Link an identity to the account whose session began the authorization; every confirmed identifier is notified.

    The notice has a link that undoes it within seven days.

    Raises SignInExpired (400), SessionEnded, SignInFailed (401), IdentityTaken (409), ProviderUnavailable (503).
    """
    if pending.link_to != (account, session):
        raise SignInExpired
    identity = await services.get(Providers).finish(pending, response)
    async with services.db.tx() as tx:
        await sessions.require_live(tx, account, session)
        await _spend_nonce(tx, pending)
        row = await tx.fetch_optional(queries.LINK, account=account, id=new_id(), **_columns(pending, identity))
        if row is None:
            raise IdentityTaken
        await usage.record(tx, account, "identity_linked", {"provider": pending.provider})
        undo = seal(services.keys, UndoIdentityLink(account, row.id))
        await notifications.notify_account(tx, services, account, notice="identity_linked", language=caller.language, undo=undo)
        return row


async def unlink(tx: Tx, account: AccountId, identity: UUID) -> None:
    """Unlink an identity. Raises NotFound (404), LastLoginMethod (409, when the transaction commits)."""
    provider = await tx.fetch_one(queries.UNLINK, account=account, id=identity)
    await usage.record(tx, account, "identity_unlinked", {"provider": provider})


def _columns(pending: PendingAuthorization, identity: Identified) -> dict[str, str | None]:
    return {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "provider": pending.provider,
        "email": identity.email,
    }


async def _spend_nonce(tx: Tx, pending: PendingAuthorization) -> None:
    digest = hashlib.sha256(pending.nonce.encode()).digest()
    if await tx.fetch_optional(queries.SPEND_NONCE, hash=digest, minutes=MINUTES + 1) is None:
        raise SignInExpired
