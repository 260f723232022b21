"""Forms of the studio's draft: save, start fresh, undo."""

from __future__ import annotations

from typing import Any

from litestar import Response, post

from vetrina.accounts.profiles import actions as profiles
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media.files import samples
from vetrina.media.files import upload_form as uploads
from vetrina.studio.composer import draft_form, form
from vetrina.studio.drafts import queries
from vetrina.web.i18n import say

BUY = "/wallet/buy?next=%2Fstudio"
"""Where tokens are bought, to come back to the draft."""


@post(
    "/studio/draft",
    guards=[signed_in],
    include_in_schema=False,
    request_max_body_size=uploads.MANY_FILES,
    opt=limited("drafts"),
)
async def save(request: Request) -> Response[Any]:
    """Save the form as the draft. `then` is where it goes on: "buy", "stay", "tour-2" to "tour-4", "end-tour"; else 204."""
    data = await uploads.form_of(request)
    chosen = await form.read(request)
    async with request.tx() as tx:
        await draft_form.save(request.services, tx, request.account.id, chosen)
    match data.get("then"):
        case "buy":
            return pages.redirect(BUY)
        case "tour-2" | "tour-3" | "tour-4" as stop:
            return pages.redirect(f"/studio?tour={stop[-1]}#{stop}")
        case "end-tour":
            async with request.tx() as tx:
                await profiles.end_tour(tx, request.account.id)
            return pages.redirect("/studio")
        case "stay":
            return pages.redirect("/studio", flash=("good", say("Your draft is saved.")))
        case _:
            return Response(None, status_code=204)


@post(
    "/studio/samples",
    guards=[signed_in],
    include_in_schema=False,
    request_max_body_size=uploads.MANY_FILES,
    opt=limited("uploads"),
)
async def add_sample(request: Request) -> Response[Any]:
    """Add a sample photograph to the library and to what the form has chosen; the form is the draft afterwards."""
    data = await uploads.form_of(request)
    chosen = await form.read(request)
    try:
        row = await samples.add(request.services, request.account.id, str(data.get("sample", "")))
    except Refusal as refusal:
        return pages.redirect("/studio", flash=("bad", refusal.message))
    (chosen.product_files if row.category == "product_image" else chosen.model_files).append(row.id)
    async with request.tx() as tx:
        await draft_form.save(request.services, tx, request.account.id, chosen)
    return pages.redirect("/studio", flash=("good", say("The sample photograph is in your library.")))


@post("/studio/draft/discard", guards=[signed_in], include_in_schema=False)
async def discard(request: Request) -> Response[Any]:
    """Start fresh: put the draft aside for an hour."""
    async with request.tx() as tx:
        await tx.execute(queries.DISCARD, account=request.account.id)
    return pages.redirect("/studio")


@post("/studio/draft/restoration", guards=[signed_in], include_in_schema=False)
async def restore(request: Request) -> Response[Any]:
    """Restore the draft that was put aside."""
    async with request.tx() as tx:
        await tx.execute(queries.RESTORE, account=request.account.id)
    return pages.redirect("/studio")


ROUTES: list[Any] = [save, add_sample, discard, restore]
