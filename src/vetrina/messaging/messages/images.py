"""Pictures of messages: participants alone fetch them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get

from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import QUIET, UNCOMPRESSED
from vetrina.media.delivery import deliver
from vetrina.messaging.messages import queries

IMAGE_SECONDS = 300
"""Seconds that a participant's browser may keep a picture."""


@get(
    "/conversations/{conversation_id:uuid}/messages/{position:int}/images/{number:int}/{variant:str}",
    guards=[signed_in],
    include_in_schema=False,
    opt={**QUIET, **UNCOMPRESSED},
)
async def picture(request: Request, conversation_id: UUID, position: int, number: int, variant: str) -> Response[Any]:
    """Return a picture of a message to a participant. 404 for everyone else."""
    async with request.read() as tx:
        image = await tx.fetch_one(
            queries.IMAGE, account=request.account.id, id=conversation_id, position=position, number=number
        )
    headers = {"Cache-Control": f"private, max-age={IMAGE_SECONDS}", "Cross-Origin-Resource-Policy": "same-origin"}
    return await deliver(request, image.account_id, image.file_id, variant, headers)


ROUTES: list[Any] = [picture]
