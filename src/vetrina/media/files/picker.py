"""A person's own pictures as pages show them: in the library's grid, and to choose from in the studio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.core.web import paging
from vetrina.media import links, queries
from vetrina.media.files.names import described
from vetrina.media.model import FileRow

Role = Literal["product", "model"]

TITLES = {
    "product_image": "Product",
    "model_image": "Model or scene",
    "generated_image": "Made here",
    "profile_image": "Profile picture",
    "post_image": "Post",
    "album_image": "Album",
}
GRID_THUMBNAIL = 320
PICKS = 24
"""Pictures of one page to choose from."""
PICKED = 8
"""Chosen pictures that are shown first, at most."""


def item(services: Services, row: FileRow, *, size: int = GRID_THUMBNAIL) -> dict[str, Any]:
    """A file as the library's templates ask for it."""
    facts = row.facts()
    return {
        "id": row.id,
        "href": f"/library/{row.id}",
        "thumb_url": links.thumbnail_url(services, row.account_id, facts, size),
        "width": row.width,
        "height": row.height,
        "colour": row.colour,
        "alt": described(row.file_name),
        "name": row.file_name,
        "category": row.category,
        "category_title": TITLES[row.category],
        "bytes": row.bytes,
        "created_at": row.created_at,
        "is_public": row.is_public,
    }


async def pick_context(
    services: Services,
    tx: Tx,
    account: AccountId,
    role: Role,
    *,
    chosen: Sequence[UUID] = (),
    cursor: str | None = None,
) -> dict[str, Any]:
    """`{files, older}` for the studio's slot `role`: the chosen ones first, then the newest of the category.

    Chosen ids that are not the account's, or of another category, are left out. Raises Invalid (422) for a cursor
    that is not ours.
    """
    category = f"{role}_image"
    wanted = list(dict.fromkeys(chosen))[:PICKED]
    rows: list[FileRow] = []
    if wanted and cursor is None:
        rows = [row for row in await tx.all(queries.SOME, account=account, ids=wanted) if row.category == category]
    newest = await tx.all(
        queries.SHELF, account=account, category=category, before=paging.after(cursor), without=wanted, limit=PICKS + 1
    )
    page = paging.page(newest, PICKS, lambda row: row.id, lambda row: row)
    older = None
    if page.next_cursor:
        query = [("role", role), ("cursor", page.next_cursor), *(("chosen", str(each)) for each in wanted)]
        older = f"/library/picks?{urlencode(query)}"
    return {"files": [item(services, row) for row in [*rows, *page.items]], "older": older}
