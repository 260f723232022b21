"""Pictures that a phone shares with the installed site (the manifest's share target)."""

from __future__ import annotations

from typing import Any

from litestar import Response, post

from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.gallery.model import IMAGES_LIMIT
from vetrina.media.files import upload_form as uploads
from vetrina.media.model import Category, FileMissing


@post(
    "/posts/shared",
    guards=[signed_in],
    include_in_schema=False,
    request_max_body_size=uploads.MANY_FILES,
    opt=limited("uploads"),
)
async def share(request: Request) -> Response[Any]:
    """Add the shared pictures to the library and open the composer with them. One that is refused is named there."""
    files = uploads.files_of(await uploads.form_of(request))[:IMAGES_LIMIT]
    added: list[str] = []
    refused: Refusal | None = None if files else FileMissing()
    for file in files:
        try:
            row = await uploads.take(request.services, request.account.id, file, Category.POST.value)
            added.append(f"file={row.id}")
        except Refusal as refusal:
            refused = refusal
    address = "/posts/new" + (f"?{'&'.join(added)}" if added else "")
    return pages.redirect(address, flash=("bad", refused.message) if refused else None)


ROUTES: list[Any] = [share]
