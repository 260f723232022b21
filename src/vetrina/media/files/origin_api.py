"""JSON route of a file's Content Credentials."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get

from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media.files import actions
from vetrina.media.provenance.model import Provenance


@get("/files/{file_id:uuid}/credentials", guards=[signed_in], tags=["files"], opt=limited("uploads"))
async def credentials(request: Request, file_id: UUID) -> Provenance:
    """Return the Content Credentials (C2PA) in a file of the library, read back and verified.

    Generated pictures carry them, uploads none.
    """
    return await actions.provenance(request.services, request.account.id, file_id)


ROUTES: list[Any] = [credentials]
