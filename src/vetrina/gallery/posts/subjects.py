"""Posts that messages are about."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.module import Subject
from vetrina.gallery.posts import queries
from vetrina.web.i18n import say


async def posts(tx: Tx, viewer: UUID, ids: list[str]) -> dict[str, Subject]:
    """Return the posts that the viewer may see, by "account/post"."""
    pairs = [(account, post) for account, post in map(_parse, ids) if account and post]
    accounts, post_ids = [account for account, _ in pairs], [post for _, post in pairs]
    rows = await tx.fetch_all(queries.SUBJECTS, viewer=viewer, accounts=accounts, ids=post_ids)
    return {row.id: Subject(row.title or say("A post"), f"/posts/{row.id}") for row in rows}


def _parse(text: str) -> tuple[UUID | None, UUID | None]:
    account, _, post = text.partition("/")
    return read_id(account), read_id(post)
