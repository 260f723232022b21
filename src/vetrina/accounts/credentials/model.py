"""Changes of credentials: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.accounts.model import Channel
from vetrina.core.errors import Refusal

UNDO_DAYS = 7
"""Days for which the owner of a former address or number can undo its change."""


class AppliedChange(msgspec.Struct, frozen=True):
    """A change of an identifier; `undo_until` is set when the old one, or `other`, the other one, was confirmed."""

    id: UUID
    channel: Channel
    old_value: str | None
    undo_until: datetime | None
    other: str | None


class UndoLink(msgspec.Struct, frozen=True):
    """What the link to undo a change carries, sealed."""

    undo_account: UUID
    undo_change: UUID


class UndoExpired(Refusal):
    """This change can no longer be undone."""

    status = 410


class SignInAgainToChange(Refusal):
    """Sign out and in again first: this account has no password to confirm with."""

    status = 403


class NoPassword(Refusal):
    """This account has no password. Choose one with a code that we send you."""

    status = 409
