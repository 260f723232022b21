"""Page of a picture's Content Credentials: what the picture is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get

from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media import queries
from vetrina.media.files import actions, picker
from vetrina.media.provenance import labels


@get("/library/{file_id:uuid}/origin", guards=[signed_in], include_in_schema=False, opt=limited("uploads"))
async def origin(request: Request, file_id: UUID) -> Response[str]:
    """Show what the file says about itself, and what of that holds."""
    async with request.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=request.account.id, id=file_id)
    provenance = await actions.provenance(request.services, request.account.id, file_id)
    return pages.render(
        request,
        "media/files/origin.html",
        nav="library",
        file=picker.to_card(request.services, row),
        credentials=provenance,
        source=labels.SOURCE_TYPES.get(provenance.source_type),
        roles=labels.ROLES,
        generated=row.category == "generated_image",
    )


ROUTES: list[Any] = [origin]
