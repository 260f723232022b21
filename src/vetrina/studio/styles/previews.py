"""Preview images of the styles."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.response import File

from vetrina.core.errors import NotFound
from vetrina.core.web.request import Request
from vetrina.studio.styles.catalogue import Catalogue, preview


@get("/styles/{name:str}", include_in_schema=False, sync_to_thread=False)
def tile(request: Request, name: str) -> File:
    """Return `/styles/<style>.webp`, a small picture made in that style."""
    style = name.removesuffix(".webp")
    path = preview(style) if name.endswith(".webp") and style in request.services.get(Catalogue).styles else None
    if path is None:
        raise NotFound
    headers = {"Cache-Control": "public, max-age=86400"}
    return File(path, media_type="image/webp", content_disposition_type="inline", headers=headers)


ROUTES: list[Any] = [tile]
