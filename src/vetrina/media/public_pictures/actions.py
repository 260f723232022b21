"""Actions on public pictures: report, dismiss, take down, restore, choose for the front page."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from vetrina.accounts.notifications import actions as notifications
from vetrina.core.database import paging
from vetrina.core.database.connection import Statement, Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.database.paging import Page
from vetrina.core.errors import Invalid, NotFound
from vetrina.core.rate_limits import rate_limit_subject
from vetrina.core.services import Services
from vetrina.media import queries as files
from vetrina.media.public_pictures import queries
from vetrina.media.public_pictures.model import NotPublic, PictureRow, Reason, ReportState, State, TakedownReasonLength

REASON_LENGTH = 400
"""Characters of an operator's reason."""
NOTE_LENGTH = 1000
"""Characters of a report's note."""
_LISTS: dict[State, Statement[PictureRow]] = {
    "reported": queries.REPORTED,
    "public": queries.PUBLIC,
    "taken_down": queries.TAKEN_DOWN,
    "featured": queries.FEATURED,
}


async def report(tx: Tx, services: Services, account: UUID, file_id: UUID, *, reason: Reason, note: str, reporter: str) -> None:
    """Report a public picture. `reporter` is an account's id or an address; each counts once for a picture and reason.

    Raises NotFound (404) for a picture that is not public, Invalid (422) for a note that is too long.
    """
    note = note.strip()
    if len(note) > NOTE_LENGTH:
        raise Invalid(f"Use up to {NOTE_LENGTH} characters.")
    if not await tx.fetch_optional(files.IS_PUBLIC, account=account, id=file_id):
        raise NotFound
    await tx.execute(
        queries.REPORT,
        account=account,
        id=new_id(),
        file=file_id,
        reason=reason.value,
        notes=[note] if note else [],
        reporter=_reporter_hash(services, file_id, reporter),
    )


async def search(tx: Tx, state: State, cursor: str | None, limit: int) -> Page[PictureRow]:
    """Return the pictures in this state, the newest first."""
    return await paging.fetch(tx, _LISTS[state], cursor, limit)


async def get(tx: Tx, account: UUID, file_id: UUID) -> PictureRow:
    """Return one picture. Raises NotFound (404) unless it is, or was, public or reported."""
    row = await tx.fetch_one(queries.ONE, account=account, id=file_id)
    if not (row.is_public or row.takedown_reason or row.is_featured or row.reports):
        raise NotFound
    return row


async def take_down(tx: Tx, services: Services, account: UUID, file_id: UUID, *, reason: str) -> None:
    """Remove a picture from every public place, and notify its owner. Its open reports are upheld.

    Raises NotFound (404), TakedownReasonLength (422). A picture that was taken down already keeps its first reason.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise TakedownReasonLength
    await tx.fetch_one(queries.LOCK, account=account, id=file_id)
    await get(tx, account, file_id)
    if await tx.fetch_optional(queries.TAKE_DOWN, account=account, id=file_id, reason=reason) is None:
        return
    await tx.execute(queries.HIDE, account=account, id=file_id)
    await tx.execute(queries.REMOVE_PORTRAITS, account=account, id=file_id)
    await tx.execute(queries.DECIDE, account=account, id=file_id, state=ReportState.UPHELD.value)
    await notifications.notify_account(
        tx, services, AccountId(account), notice="publication_removed", language="en", reason=reason
    )


async def restore(tx: Tx, services: Services, account: UUID, file_id: UUID) -> None:
    """Undo a removal: the picture is as public as it was, and its owner is notified. Raises NotFound (404)."""
    await get(tx, account, file_id)
    was_public = await tx.fetch_optional(queries.RESTORE, account=account, id=file_id)
    if was_public is None:
        return
    if was_public:
        await tx.execute(queries.PUBLISH, account=account, id=file_id)
    await notifications.notify_account(tx, services, AccountId(account), notice="publication_restored", language="en")


async def dismiss(tx: Tx, account: UUID, file_id: UUID) -> None:
    """Dismiss the open reports of a picture. Raises NotFound (404)."""
    await get(tx, account, file_id)
    await tx.execute(queries.DECIDE, account=account, id=file_id, state=ReportState.DISMISSED.value)


async def feature(tx: Tx, account: UUID, file_id: UUID) -> None:
    """Show a public picture at the top of the front page. Raises NotFound (404), NotPublic (409)."""
    row = await get(tx, account, file_id)
    if not (row.is_public and row.owner_is_active):
        raise NotPublic
    await tx.execute(queries.FEATURE, account=account, id=file_id)


async def unfeature(tx: Tx, account: UUID, file_id: UUID) -> None:
    """Undo the choice for the front page. Raises NotFound (404)."""
    await get(tx, account, file_id)
    await tx.execute(queries.UNFEATURE, account=account, id=file_id)


def _reporter_hash(services: Services, file_id: UUID, reporter: str) -> str:
    """Return a keyed hash that differs from picture to picture, so that no two reports of a visitor can be joined."""
    message = f"report:{file_id}:{rate_limit_subject(reporter)}".encode()
    return hmac.new(services.keys[0], message, hashlib.sha256).hexdigest()[:32]
