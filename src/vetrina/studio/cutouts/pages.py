"""The page that shows a cut-out before it is made."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from vetrina.clients.engines.cutting.catalogue import REMOVE_BACKGROUND
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media import queries as media
from vetrina.media.files import picker
from vetrina.studio.cutouts import actions, returns
from vetrina.studio.generations import actions as generations
from vetrina.studio.styles.catalogue import Catalogue
from vetrina.wallet.labels import amount
from vetrina.web.i18n import say


@get("/studio/cutouts/{file_id:uuid}", guards=[signed_in], include_in_schema=False, opt=limited("uploads"))
async def cutout(request: Request, file_id: UUID) -> Response[str]:
    """Show the cut-out at a small size, with its price."""
    return await _page(request, file_id)


@post("/studio/cutouts/{file_id:uuid}", guards=[signed_in], include_in_schema=False)
async def remove_background(request: Request, file_id: UUID) -> Response[Any]:
    """Start the generation that removes the background."""
    form = await request.form()
    account = request.account
    async with request.read() as tx:
        row = await tx.fetch_one(media.ONE, account=account.id, id=file_id)
    wish = actions.request_of(file_id, row.category, "webp" if form.get("format") == "webp" else "png")
    try:
        started = await generations.start(request.services, account.id, account.session_id, wish)
    except Refusal as refusal:
        return await _page(request, file_id, refusal)
    return pages.redirect(f"/studio/generations/{started.id}")


@post("/studio/cutouts/{generation_id:uuid}/return", guards=[signed_in], include_in_schema=False)
async def give_back(request: Request, generation_id: UUID) -> Response[Any]:
    """Delete the result of a cut-out and return its tokens."""
    try:
        async with request.tx() as tx:
            tokens = await returns.give_back(tx, request.account.id, generation_id)
    except (returns.NotReturnable, returns.AlreadyReturned) as refused:
        return pages.redirect(f"/studio/generations/{generation_id}", flash=("bad", refused.message))
    returned = say("{amount} returned; the result was deleted.", amount=amount("token", tokens))
    return pages.redirect("/studio/generations", flash=("good", returned))


async def _page(request: Request, file_id: UUID, refusal: Refusal | None = None) -> Response[str]:
    services = request.services
    style = services.get(Catalogue).styles.get(REMOVE_BACKGROUND)
    if style is None:
        raise NotFound
    async with request.read() as tx:
        row = await tx.fetch_one(media.ONE, account=request.account.id, id=file_id)
    image, doubt = "", ""
    try:
        preview = await actions.preview(services, request.account.id, row)
        image = f"data:image/webp;base64,{base64.b64encode(preview.image).decode()}" if preview.image else ""
        doubt = say("It is doubtful what its subject is, so nothing is offered and nothing charged.") if preview.doubtful else ""
    except actions.NotCuttable as refused:
        doubt = refused.message
    return pages.render(
        request,
        "studio/cutouts/cutout.html",
        refusal=refusal,
        fields=(),
        nav="library",
        file=picker.to_card(services, row),
        image=image,
        doubt=doubt,
        cost=services.get(Catalogue).cost(style),
    )


ROUTES: list[Any] = [cutout, remove_background, give_back]
