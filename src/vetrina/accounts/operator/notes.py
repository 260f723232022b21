"""Operators' notes on an account: appended, never changed, and deleted when the account is erased.

Their owner does not see them on the site; the export leaves them out.
"""

from __future__ import annotations

from uuid import UUID

from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.operator import queries
from vetrina.accounts.operator.model import Note
from vetrina.core import audit
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import new_id
from vetrina.core.database.paging import Page
from vetrina.core.errors import Refusal

LENGTH = 2000


class NoteLength(Refusal):
    """Write a note of up to 2,000 characters."""

    status = 422
    constraint = "note_length"
    field = "text"


async def list_notes(tx: Tx, account_id: UUID, cursor: str | None, limit: int) -> Page[Note]:
    """Return the notes on an account, the newest first. Raises NotFound (404)."""
    await accounts.get_account(tx, account_id)
    return await paging.fetch(tx, queries.NOTES, cursor, limit, account=account_id)


async def add(tx: Tx, author: UUID, account_id: UUID, text: str) -> UUID:
    """Add a note, return its id, and write the audit log. Raises NotFound (404), NoteLength (422)."""
    await accounts.get_account(tx, account_id)
    text = text.strip()
    if not 1 <= len(text) <= LENGTH:
        raise NoteLength
    note_id = new_id()
    await tx.execute(queries.ADD_NOTE, account=account_id, id=note_id, author=author, text=text)
    await audit.record(tx, "note_added", account_id, resource=("note", note_id))
    return note_id
