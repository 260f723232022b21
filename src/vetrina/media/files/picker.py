"""Presenters of the account's images: cards in the library's grid and in the studio's picker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.media import links, queries
from vetrina.media.files.names import alt_text
from vetrina.media.model import FileRow
from vetrina.web.i18n import N_, say

Role = Literal["product", "model"]

TITLES = {
    "product_image": N_("Product"),
    "model_image": N_("Model or scene"),
    "generated_image": N_("Generated"),
    "profile_image": N_("Profile picture"),
    "post_image": N_("Post"),
    "album_image": N_("Album"),
}
SELECTION_ACTIONS: tuple[dict[str, str], ...] = (
    {"path": "/library/publication", "icon": "globe", "title": N_("Publish")},
    {"path": "/library/unpublication", "icon": "lock", "title": N_("Make private")},
)
"""Buttons of the selection in the library, each a form to `path` with the chosen ids as `id`."""
GRID_THUMBNAIL = 320
PICKER_PAGE = 24
"""Images per page of the picker."""
MAX_CHOSEN = 64
"""The largest number of chosen images shown first."""


def to_card(services: Services, row: FileRow, *, size: int = GRID_THUMBNAIL) -> dict[str, Any]:
    """Return a file's card for the library's templates."""
    facts = row.facts()
    return {
        "id": row.id,
        "href": f"/library/{row.id}",
        "thumb_url": links.thumbnail_url(services, row.account_id, facts, size),
        "srcset": links.srcset(services, row.account_id, facts),
        "original_url": links.download_url(services, row.account_id, facts),
        "width": row.width,
        "height": row.height,
        "colour": row.colour,
        "alt": alt_text(row.file_name),
        "name": row.file_name,
        "category": row.category,
        "category_title": say(TITLES[row.category]),
        "bytes": row.bytes,
        "created_at": row.created_at,
        "is_public": row.is_public,
        "takedown_reason": row.takedown_reason,
    }


async def picker_context(
    services: Services,
    tx: Tx,
    account: AccountId,
    role: Role,
    *,
    chosen: Sequence[UUID] = (),
    cursor: str | None = None,
) -> dict[str, Any]:
    """Return `{files, older}` for the studio's slot `role`: chosen images first, then the newest of the category.

    Chosen ids of other accounts or categories are ignored; generated images fit every slot.
    Raises Invalid (422) for an invalid cursor.
    """
    category = f"{role}_image"
    chosen_ids = list(dict.fromkeys(chosen))[:MAX_CHOSEN]
    rows: list[FileRow] = []
    if chosen_ids and cursor is None:
        some = await tx.fetch_all(queries.SOME, account=account, ids=chosen_ids)
        rows = [row for row in some if row.category in {category, "generated_image"}]
    page = await paging.fetch(
        tx,
        queries.NEWEST_IN_CATEGORY,
        cursor,
        PICKER_PAGE,
        account=account,
        category=category,
        without=chosen_ids,
    )
    older = None
    if page.next_cursor:
        query = [("role", role), ("cursor", page.next_cursor), *(("chosen", str(file_id)) for file_id in chosen_ids)]
        older = f"/library/picks?{urlencode(query)}"
    return {"files": [to_card(services, row) for row in [*rows, *page.items]], "older": older}
