"""Images of link previews, for public pictures alone. Made on first use and kept beside the picture's other variants."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import Response, get

from vetrina.core.errors import NotFound, Unavailable
from vetrina.core.isolation.run import IsolatedFailure, Limits, run_isolated
from vetrina.core.services import Services
from vetrina.core.storage.store import NotStored, StorageFailure, key_of
from vetrina.core.web.public.link_preview import CARD_HEIGHT, CARD_WIDTH, absolute
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, QUIET, UNCOMPRESSED, limited_by_address
from vetrina.media import queries
from vetrina.media.files.decode_slots import LEAST_PRICE, SLOT_TIMEOUT, DecodeSlots
from vetrina.media.links import ORIGINAL, PREVIEW, FileFacts

log = structlog.get_logger("vetrina.media")

CARD = "card"
"""The variant under which a card is stored."""
MAX_AGE = 300
"""Cache lifetime in seconds; the owner may withdraw the picture at any time."""
_LIMITS = Limits(memory_mb=512, seconds=15)


def card_url(services: Services, account_id: UUID, facts: FileFacts) -> str | None:
    """Return the absolute address of a public picture's card; None for one that is not public."""
    return absolute(services, f"/media/{account_id}/{facts.id}/card.jpg") if facts.is_public else None


@get(
    "/media/{account_id:uuid}/{file_id:uuid}/card.jpg",
    include_in_schema=False,
    opt={**ANONYMOUS, **QUIET, **UNCOMPRESSED, **limited_by_address("share_cards")},
)
async def share_card(request: Request, account_id: UUID, file_id: UUID) -> Response[bytes]:
    """Return the image of a public picture's link preview. 404 for any other."""
    async with request.read() as tx:
        stored = await tx.fetch_optional(queries.PUBLIC_FACTS, account=account_id, id=file_id)
    if stored is None:
        raise NotFound
    try:
        data = await _card(request.services, account_id, msgspec.convert(stored, FileFacts))
    except NotStored:
        raise NotFound from None
    except (StorageFailure, IsolatedFailure) as error:
        log.warning("a share card could not be made", exc_info=error)
        raise Unavailable("Images are not available at the moment. Try again later.") from error
    headers = {"Cache-Control": f"public, max-age={MAX_AGE}", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(data, media_type="image/jpeg", headers=headers)


async def _card(services: Services, account_id: UUID, facts: FileFacts) -> bytes:
    key = key_of(account_id, facts.id, CARD)
    try:
        return await services.storage.get(key)
    except NotStored:
        pass
    variant = str(PREVIEW) if str(PREVIEW) in facts.thumbnails else ORIGINAL
    source = await services.storage.get(key_of(account_id, facts.id, variant))
    payload: dict[str, Any] = {"data": source, "width": CARD_WIDTH, "height": CARD_HEIGHT, "colour": facts.colour}
    async with services.get(DecodeSlots).hold(account_id, LEAST_PRICE, SLOT_TIMEOUT):
        card = await run_isolated("vetrina.media.processing.share_card:share_card", payload, limits=_LIMITS)
    await services.storage.put(key, card["data"], "image/jpeg")
    return card["data"]


ROUTES: list[Any] = [share_card]
