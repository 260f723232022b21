"""JSON route of the free preview of a cut-out."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post

from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media import queries as media
from vetrina.studio.cutouts import actions, returns


class CutOut(msgspec.Struct):
    """A preview: `image` is a WebP with transparency (base64), empty if it is `doubtful` what the subject is."""

    image: str
    doubtful: bool


class Returned(msgspec.Struct):
    """Tokens that were returned."""

    tokens: int


@get("/files/{file_id:uuid}/cutout", guards=[signed_in], tags=["generations"], opt=limited("uploads"))
async def cutout(request: Request, file_id: UUID) -> CutOut:
    """Return the file's cut-out in a small size, free. `POST /generations` in the style remove_background makes it.

    422 for a file that generations do not take, 429 retry later.
    """
    async with request.read() as tx:
        row = await tx.fetch_one(media.ONE, account=request.account.id, id=file_id)
    preview = await actions.preview(request.services, request.account.id, row)
    return CutOut(base64.b64encode(preview.image).decode(), preview.doubtful)


@post("/generations/{generation_id:uuid}/return", guards=[signed_in], tags=["generations"], status_code=200)
async def give_back(request: Request, generation_id: UUID) -> Returned:
    """Delete the result of a cut-out (style remove_background) that is not what you wanted, and return its tokens.

    Once for each picture; 409 for the second time and for what is no finished cut-out.
    """
    async with request.tx() as tx:
        return Returned(await returns.give_back(tx, request.account.id, generation_id))


ROUTES: list[Any] = [cutout, give_back]
