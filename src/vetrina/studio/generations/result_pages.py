"""Pages about results: favourites, and any two compared."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import Parameter

from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.studio import queries
from vetrina.studio.generations import actions, presenters
from vetrina.web.i18n import say

Two = Annotated[list[UUID] | None, Parameter(max_items=64)]


@post("/studio/generations/{generation_id:uuid}/favourite", guards=[signed_in], include_in_schema=False)
async def favourite(request: Request, generation_id: UUID) -> Response[Any]:
    """Mark a generation as a favourite, or unmark it, and return to the page that asked."""
    data = await request.form()
    async with request.tx() as tx:
        is_favourite = data.get("is_favourite") == "true"
        await actions.set_favourite(tx, request.account.id, generation_id, is_favourite=is_favourite)
    return pages.redirect(pages.safe_local_path(str(data.get("next", "")), f"/studio/generations/{generation_id}"))


@get("/studio/compare", guards=[signed_in], include_in_schema=False)
async def compare(request: Request, generation: Two = None) -> Response[Any]:
    """Render two results over and beside each other."""
    ids = list(dict.fromkeys(generation or []))
    async with request.read() as tx:
        rows = [await tx.fetch_one(queries.ONE, account=request.account.id, id=one) for one in ids[:2]]
    if len(ids) != 2 or not all(row.in_role("result") for row in rows):
        return pages.redirect("/studio/generations", flash=("info", say("Tick two finished pictures to compare them.")))
    first, second = (presenters.result(request.services, row) for row in rows)
    return pages.render(request, "studio/generations/compare.html", nav="history", first=first, second=second)


ROUTES: list[Any] = [favourite, compare]
