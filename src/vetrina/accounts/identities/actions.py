"""Signing in through an identity provider, and linking one: issuer and subject say who it is, never the e-mail address."""

from __future__ import annotations

import hashlib
from uuid import UUID

from vetrina.accounts.identities import queries as queries_identities
from vetrina.accounts.identities.model import (
    AccountDisabled,
    AccountExistsLinkRequired,
    IdentityRow,
    IdentityTaken,
    SignInExpired,
    WrongAccountKind,
)
from vetrina.accounts.identities.providers import MINUTES, Answer, Begun, providers
from vetrina.accounts.model import EmailTaken
from vetrina.accounts.sign_in import actions
from vetrina.accounts.sign_in.actions import Device, Opened
from vetrina.clients.oidc import Identified
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.services import Services


async def enter(services: Services, begun: Begun, answer: Answer, device: Device) -> Opened:
    """A session for whoever came back from the provider; a new account when nobody has this identity.

    Raises SignInExpired (400), SignInFailed, SecondFactorNeeded (401), AccountDisabled (403), WrongAccountKind,
    AccountExistsLinkRequired (409), ProviderUnavailable (503).
    """
    if begun.link_to is not None:
        raise SignInExpired
    who = await services.part(providers).finish(begun, answer)
    try:
        account = await _account_of(services, begun, who)
    except (IdentityTaken, EmailTaken):
        # Perhaps two first sign-ins at once, and the other one made the account.
        try:
            account = await _account_of(services, begun, who)
        except EmailTaken:
            raise AccountExistsLinkRequired from None
    return await actions.enter(services, AccountId(account), device)


async def _account_of(services: Services, begun: Begun, who: Identified) -> UUID:
    async with services.db.tx() as tx:
        await _spend(tx, begun)
        known = await tx.maybe(queries_identities.KNOWN, issuer=who.issuer, subject=who.subject, email=who.email)
        if known is None:
            return await _register(tx, begun, who)
        if not known.is_active:
            raise AccountDisabled
        if known.kind != begun.kind:
            raise WrongAccountKind
        return known.id


async def _register(tx: Tx, begun: Begun, who: Identified) -> UUID:
    email = who.email.lower() if who.email else None
    account = await tx.one(queries_identities.INSERT_ACCOUNT, id=new_id(), kind=begun.kind, email=email, name=who.name)
    await tx.one(queries_identities.INSERT, account=account, id=new_id(), **_columns(begun, who))
    await usage.record(tx, AccountId(account), "account_registered", {"kind": begun.kind, "provider": begun.provider})
    return account


async def link(services: Services, begun: Begun, answer: Answer, account: AccountId, session: UUID) -> IdentityRow:
    """One more way into this account, asked for by its own session.

    Raises SignInExpired (400), SessionEnded, SignInFailed (401), IdentityTaken (409), ProviderUnavailable (503).
    """
    if begun.link_to != (account, session):
        raise SignInExpired
    who = await services.part(providers).finish(begun, answer)
    async with services.db.tx() as tx:
        await actions.check(tx, account, session)
        await _spend(tx, begun)
        found = await tx.maybe(queries_identities.LINK, account=account, id=new_id(), **_columns(begun, who))
        if found is None:
            raise IdentityTaken
        await usage.record(tx, account, "identity_linked", {"provider": begun.provider})
        return found


async def unlink(tx: Tx, account: AccountId, identity: UUID) -> None:
    """Take one way in away. Raises NotFound (404), LastLoginMethod (409, when the transaction ends)."""
    gone = await tx.one(queries_identities.UNLINK, account=account, id=identity)
    await usage.record(tx, account, "identity_unlinked", {"provider": gone})


def _columns(begun: Begun, who: Identified) -> dict[str, str | None]:
    return {"issuer": who.issuer, "subject": who.subject, "provider": begun.provider, "email": who.email}


async def _spend(tx: Tx, begun: Begun) -> None:
    digest = hashlib.sha256(begun.nonce.encode()).digest()
    if await tx.maybe(queries_identities.SPEND_NONCE, hash=digest, minutes=MINUTES + 1) is None:
        raise SignInExpired
