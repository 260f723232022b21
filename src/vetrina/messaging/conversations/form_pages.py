"""Forms of conversations: start, send, edit, delete, mute, hide, leave."""

from __future__ import annotations

import re
from typing import Any, Literal
from uuid import UUID

from litestar import Response, post
from litestar.datastructures import FormMultiDict
from litestar.response import Redirect

from vetrina.core.database.ids import read_id
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media.files import upload_form as uploads
from vetrina.media.model import Category
from vetrina.messaging.conversations import actions, queries
from vetrina.messaging.conversations.pages import compose, show, since, subject_of
from vetrina.messaging.messages import actions as messages
from vetrina.messaging.messages.actions import MessageRequest
from vetrina.messaging.model import UnknownPerson
from vetrina.web.i18n import N_, say

_CONVERSATION = "/conversations/{conversation_id:uuid}"
DONE = {
    "mute": N_("Muted. It is no longer counted as unread."),
    "unmute": N_("No longer muted"),
    "hide": N_("Hidden until the next message"),
    "unhide": N_("Back in the list"),
    "delete": N_("Deleted for you. The others keep it."),
    "leave": N_("You left the group."),
}


@post("/conversations", guards=[signed_in], include_in_schema=False, opt=limited("conversations"))
async def start(request: Request, data: Form) -> Response[Any]:
    """Start a conversation with one account (`account`), or with those of the handles in `to`, with its first message."""
    account, other = request.account.id, read_id(data.get("account"))
    to, title, body, about = (data.get(name, "").strip() for name in ("to", "title", "body", "about"))
    message = MessageRequest(body, subject=subject_of(about))
    try:
        messages.check(message)
        async with request.tx() as tx:
            others = [other] if other else await _accounts(tx, to)
            if len(others) == 1 and not title:
                conversation = await actions.start(tx, account, others[0])
            else:
                conversation = await actions.start_group(tx, account, others, title)
        await messages.send(request.services, account, conversation, message, key=_key(data.get("key")))
    except NotFound:
        if other:
            raise
        return await compose(request, refusal=UnknownPerson(), to=to, title=title, typed=body)
    except Refusal as refusal:
        return await compose(request, other=other, about=about, refusal=refusal, to=to, title=title, typed=body)
    return pages.redirect(f"/conversations/{conversation}")


@post(
    _CONVERSATION + "/messages",
    guards=[signed_in],
    include_in_schema=False,
    request_max_body_size=uploads.MANY_FILES,
    opt=limited("messages"),
)
async def send(request: Request, conversation_id: UUID) -> Response[Any]:
    """Send a message. With a field `after` the answer is what the page lacks since that change."""
    form = await uploads.form_of(request)
    account, about = request.account.id, str(form.get("about") or "")
    body, after = str(form.get("body") or ""), str(form.get("after") or "")
    try:
        message = MessageRequest(body, await _pictures(request, conversation_id, form), subject_of(about))
        await messages.send(request.services, account, conversation_id, message, key=_key(form.get("key")))
    except NotFound:
        raise
    except Refusal as refusal:
        return await show(request, conversation_id, None, about=about, refusal=refusal, typed=body)
    if after.isascii() and after.isdigit() and len(after) < 18:
        return await since(request, conversation_id, int(after))
    return pages.redirect(f"/conversations/{conversation_id}#write")


@post(_CONVERSATION + "/messages/{position:int}/edit", guards=[signed_in], include_in_schema=False)
async def edit(request: Request, conversation_id: UUID, position: int, data: Form) -> Response[Any]:
    """Change the text of one's own message."""
    try:
        async with request.tx() as tx:
            await messages.edit(tx, request.account.id, conversation_id, position, data.get("body", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        return await show(request, conversation_id, None, refusal=refusal)
    return pages.redirect(f"/conversations/{conversation_id}#m{position}")


@post(_CONVERSATION + "/messages/{position:int}/deletion", guards=[signed_in], include_in_schema=False)
async def delete(request: Request, conversation_id: UUID, position: int) -> Redirect:
    """Delete one's own message for everyone."""
    async with request.tx() as tx:
        await messages.delete(tx, request.account.id, conversation_id, position)
    return pages.redirect(f"/conversations/{conversation_id}#m{position}")


@post(_CONVERSATION + "/place/{act:str}", guards=[signed_in], include_in_schema=False)
async def act_on(
    request: Request, conversation_id: UUID, act: Literal["mute", "unmute", "hide", "unhide", "delete", "leave"]
) -> Redirect:
    """Mute, hide, delete or leave a conversation, or undo it."""
    account = request.account.id
    async with request.tx() as tx:
        match act:
            case "mute" | "unmute":
                await actions.mute(tx, account, conversation_id, is_muted=act == "mute")
            case "hide" | "unhide":
                await actions.hide(tx, account, conversation_id, is_hidden=act == "hide")
            case "delete":
                await actions.step_out(tx, account, conversation_id, "deleted")
            case "leave":
                await actions.step_out(tx, account, conversation_id, "left")
    stays = act in {"mute", "unmute", "unhide"}
    return pages.redirect(f"/conversations/{conversation_id}" if stays else "/conversations", flash=("good", say(DONE[act])))


async def _accounts(tx: Any, to: str) -> list[UUID]:
    """Return the accounts of handles such as "@ada, @leo". Raises UnknownPerson (422) if one is not there."""
    handles = [handle.lower() for handle in re.split(r"[\s,;@،]+", to) if handle]
    accounts = await tx.fetch_all(queries.BY_HANDLES, handles=handles)
    if not handles or len(accounts) != len(set(handles)):
        raise UnknownPerson
    return accounts


async def _pictures(request: Request, conversation_id: UUID, form: FormMultiDict) -> list[UUID]:
    """Return the chosen files of the library and those uploaded with the form. Raises NotFound (404) first."""
    ids = [file_id for value in form.getall("image", []) if (file_id := read_id(value)) is not None]
    sent = [file for file in uploads.files_of(form) if file.filename]
    if sent:
        async with request.read() as tx:
            await tx.fetch_one(queries.TAKES_PART, account=request.account.id, id=conversation_id)
    taken = [await uploads.take(request.services, request.account.id, file, Category.POST) for file in sent]
    return [*ids, *(row.id for row in taken)]


def _key(value: object) -> str | None:
    """Return a form's key, under a name of its own beside those of the API."""
    return f"form {value}" if isinstance(value, str) and 0 < len(value) <= 100 else None


ROUTES: list[Any] = [start, send, edit, delete, act_on]
