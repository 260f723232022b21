"""Identities at providers: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.core.errors import NotFound, Refusal, Unavailable


class IdentityRow(msgspec.Struct, frozen=True):
    """An identity at a provider, as its owner sees it. `email` is the address that the provider sent last."""

    id: UUID
    provider: str
    issuer: str
    subject: str
    email: str | None
    last_used_at: datetime
    created_at: datetime


class IdentityAccount(msgspec.Struct, frozen=True):
    """The account of an identity."""

    id: UUID
    kind: str
    is_active: bool


class ProviderUnknown(NotFound):
    """No such identity provider is set up here."""

    status = 404


class ProviderUnavailable(Unavailable):
    """The identity provider does not answer at the moment. Please try again soon."""

    status = 503


class SignInExpired(Refusal):
    """This sign-in was started in another browser, has expired or is finished. Please start again."""

    status = 400


class SignInFailed(Refusal):
    """The identity provider did not sign you in."""

    status = 401


class InvalidReturnAddress(Refusal):
    """The return address of a program is http://127.0.0.1 or http://[::1] with a port."""

    status = 422
    field = "redirect_uri"


class AccountDisabled(Refusal):
    """This account is disabled."""

    status = 403


class WrongAccountKind(Refusal):
    """This identity belongs to an account of the other kind. Users and vendors sign in separately: choose the other one."""

    status = 409


class AccountExistsLinkRequired(Refusal):
    """There is an account with this e-mail address already. Sign in to it as before, then link the provider in its settings."""

    status = 409


class UndoIdentityLink(msgspec.Struct, frozen=True):
    """What the link to undo the linking of an identity carries, sealed."""

    undo_identity_of: UUID
    undo_identity: UUID


class IdentityTaken(Refusal):
    """This identity is linked to another account."""

    status = 409
    constraint = "identities_pkey"


class LastLoginMethod(Refusal):
    """This is the only way to sign in to your account. Set a password or link another identity first."""

    status = 409
    constraint = "account_keeps_a_way_in"
