"""Forms of the library's selection. They answer with a redirect whose message can undo the act."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, post
from litestar.datastructures import FormMultiDict

from vetrina.core.database.ids import read_id
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.media.files import upload_form as uploads
from vetrina.media.selection import actions
from vetrina.web.i18n import count, say

UNDOABLE = 60
"""The most pictures whose ids fit into the message's cookie; an act on more has no undo."""


@post("/library/publication", guards=[signed_in], include_in_schema=False)
async def publish(request: Request) -> Response[Any]:
    """Publish the chosen pictures."""
    return await _set_public(request, is_public=True)


@post("/library/unpublication", guards=[signed_in], include_in_schema=False)
async def unpublish(request: Request) -> Response[Any]:
    """Make the chosen pictures private."""
    return await _set_public(request, is_public=False)


@post("/library/tagging", guards=[signed_in], include_in_schema=False)
async def tag(request: Request) -> Response[Any]:
    """Add a tag to the chosen pictures, or (`undo` in the address) remove it."""
    form = await uploads.form_of(request)
    undone = request.query_params.get("undo")
    try:
        async with request.tx() as tx:
            if undone:
                changed, word = await actions.remove_tag(tx, request.account.id, _ids(form), undone), undone
            else:
                word = str(form.get("tag") or "")
                changed = await actions.add_tag(tx, request.account.id, _ids(form), word)
    except Refusal as refusal:
        return pages.redirect("/library", flash=("bad", refusal.message))
    text = count("{n} picture changed", "{n} pictures changed", len(changed))
    return _answer(changed, text, None if undone else f"/library/tagging?{urlencode({'undo': word})}")


async def _set_public(request: Request, *, is_public: bool) -> Response[Any]:
    ids = _ids(await uploads.form_of(request))
    try:
        async with request.tx() as tx:
            changed = await actions.set_public(tx, request.account.id, ids, is_public=is_public)
    except Refusal as refusal:
        return pages.redirect("/library", flash=("bad", refusal.message))
    if is_public:
        return _answer(changed, count("{n} picture is public", "{n} pictures are public", len(changed)), "/library/unpublication")
    return _answer(changed, count("{n} picture is private", "{n} pictures are private", len(changed)), "/library/publication")


def _answer(changed: list[UUID], text: str, undo: str | None) -> Response[Any]:
    if not changed:
        return pages.redirect("/library", flash=("info", say("Nothing was changed")))
    ids = ",".join(str(file) for file in changed)
    back = pages.Undo(undo, "id", ids) if undo and len(changed) <= UNDOABLE else None
    return pages.redirect("/library", flash=("good", text), undo=back)


def _ids(form: FormMultiDict) -> list[UUID]:
    """Return the valid ids of a form: several fields, or one with commas."""
    given = [part for item in form.getall("id", []) if isinstance(item, str) for part in item.split(",")]
    return [file_id for item in given[:500] if (file_id := read_id(item))]


ROUTES: list[Any] = [publish, unpublish, tag]
