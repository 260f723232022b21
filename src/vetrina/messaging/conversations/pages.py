"""Pages of conversations: the list beside the open conversation, the form for a new one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.params import Parameter

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import new_id
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import QUIET
from vetrina.media.files import actions as files
from vetrina.media.files import picker
from vetrina.media.files import upload_form as uploads
from vetrina.messaging import presenters
from vetrina.messaging.conversations import actions, queries
from vetrina.messaging.messages import actions as messages
from vetrina.messaging.messages.actions import SubjectRequest
from vetrina.messaging.model import BODY_LENGTH, EDIT_SECONDS, TITLE_LENGTH, Box, ConversationRow, MessageRow
from vetrina.messaging.queries import ONE
from vetrina.web.i18n import N_, say

PAGE, MESSAGES, CHOICES, HITS = 30, 50, 12, 50
"""Conversations and messages of a page, library pictures beside the form, hits of a search."""
TABS = [(Box.INBOX, N_("All")), (Box.REQUESTS, N_("Requests")), (Box.HIDDEN, N_("Hidden"))]
Change = Annotated[int, Parameter(ge=0, lt=2**62)]


@get("/conversations", guards=[signed_in], include_in_schema=False)
async def conversations(request: Request, box: str = "", cursor: Cursor = None, q: str = "") -> Response[str]:
    """Show the account's conversations, or the messages that a search finds."""
    async with request.read() as tx:
        return pages.render(request, "messaging/conversations/page.html", **await _list(request, tx, box, cursor, q), open=None)


@get("/conversations/{conversation_id:uuid}", guards=[signed_in], include_in_schema=False)
async def conversation(request: Request, conversation_id: UUID, cursor: Cursor = None, about: str = "") -> Response[str]:
    """Show a conversation and mark it as read. 404 for one in which the account takes no part."""
    return await show(request, conversation_id, cursor, about=about)


@get("/conversations/{conversation_id:uuid}/changes", guards=[signed_in], include_in_schema=False, opt=QUIET)
async def changes(request: Request, conversation_id: UUID, after: Change) -> Response[str]:
    """Return the messages after a change, as the page shows them, and mark them as read."""
    return await since(request, conversation_id, after)


@get("/conversations/new", guards=[signed_in], include_in_schema=False)
async def new(request: Request) -> Response[str]:
    """Show the form for a conversation with accounts by their handles."""
    return await compose(request)


@get("/conversations/with/{account_id:uuid}", guards=[signed_in], include_in_schema=False)
async def new_with(request: Request, account_id: UUID, about: str = "") -> Response[Any]:
    """Open the conversation with an account, or show the form for a new one, about something if `about` says what.

    404 for an account that is not there and where one blocks the other.
    """
    account = request.account.id
    async with request.read() as tx:
        existing = await tx.fetch_optional(queries.BETWEEN, account=account, other=account_id)
    if existing is None:
        return await compose(request, other=account_id, about=about)
    return await show(request, existing, None, about=about)


async def show(
    request: Request,
    conversation_id: UUID,
    cursor: str | None,
    *,
    about: str = "",
    refusal: Refusal | None = None,
    typed: str = "",
) -> Response[str]:
    """Render a conversation beside the list. Raises NotFound (404) for one in which the account takes no part."""
    account, services = request.account.id, request.services
    async with request.tx() as tx:
        row = await tx.fetch_one(ONE, account=account, id=conversation_id)
        page = await messages.page(tx, account, conversation_id, cursor, MESSAGES)
        if cursor is None and row.unread:
            await messages.mark_read(tx, account, conversation_id, row.last_position)
        context = await _list(request, tx, "", None, "")
        library = await files.search(tx, account, None, CHOICES)
        return pages.render(
            request,
            "messaging/conversations/page.html",
            refusal=refusal,
            fields={"body", "images"},
            **context,
            open=row,
            **await _thread(request, tx, row, list(reversed(page.items))),
            is_newest=cursor is None,
            older=page.older(f"/conversations/{conversation_id}"),
            about=about,
            subject=await _subject(request, tx, about),
            library=[picker.to_card(services, file) for file in library.items],
            **_form(request, typed),
        )


async def since(request: Request, conversation_id: UUID, after: int) -> Response[str]:
    """Render the messages after a change. Raises NotFound (404) for a conversation in which the account takes no part."""
    account = request.account.id
    async with request.tx() as tx:
        row = await tx.fetch_one(ONE, account=account, id=conversation_id)
        rows = await messages.changes(tx, account, conversation_id, after)
        if row.unread and row.status == "active":
            await messages.mark_read(tx, account, conversation_id, row.last_position)
        thread = await _thread(request, tx, row, rows)
    last = rows[-1].change if rows else after
    return pages.render(request, "messaging/conversations/changes.html", open=row, last_change=last, **thread)


async def compose(
    request: Request,
    *,
    other: UUID | None = None,
    about: str = "",
    refusal: Refusal | None = None,
    to: str = "",
    title: str = "",
    typed: str = "",
) -> Response[str]:
    """Render the form for a new conversation. Raises NotFound (404) for an account that cannot be written to."""
    account = request.account.id
    async with request.read() as tx:
        name = await tx.fetch_one(queries.PERSON, account=account, other=other) if other else None
        return pages.render(
            request,
            "messaging/conversations/new.html",
            refusal=refusal,
            fields={"to", "title", "body"},
            nav="conversations",
            other=other,
            name=name,
            about=about,
            subject=await _subject(request, tx, about),
            to=to,
            group_title=title,
            title_length=TITLE_LENGTH,
            **_form(request, typed),
        )


def subject_of(about: str) -> SubjectRequest | None:
    """Return what a form's field `about` says, such as "post:account/post"; None without one."""
    kind, _, id_ = about.partition(":")
    return SubjectRequest(kind, id_) if kind and id_ else None


def _form(request: Request, typed: str) -> dict[str, Any]:
    accept = uploads.accepted(request.services.settings)
    return {"typed": typed, "body_length": BODY_LENGTH, "accept": accept, "key": new_id()}


async def _subject(request: Request, tx: Tx, about: str) -> Any:
    """Return title and address of what the next message is about, if the account may see it."""
    subject = subject_of(about)
    read = request.services.modules.message_subjects.get(subject.kind) if subject else None
    return (await read(tx, request.account.id, [subject.id])).get(subject.id) if subject and read else None


async def _list(request: Request, tx: Tx, box: str, cursor: str | None, q: str) -> dict[str, Any]:
    account = request.account.id
    chosen = Box(box) if box in set(Box) else Box.INBOX
    hits: list[dict[str, Any]] = []
    rows: list[ConversationRow] = []
    more = None
    if q:
        hits = [_hit(message) for message in await messages.search(tx, account, q, HITS)]
    else:
        page = await actions.box(tx, account, chosen, cursor, PAGE)
        rows, more = page.items, page.older("/conversations", {"box": chosen if chosen is not Box.INBOX else ""})
    return {
        "nav": "conversations",
        "rows": [
            {
                "id": row.id,
                "title": presenters.title(row),
                "preview": presenters.preview(row),
                "at": presenters.last_written(row),
                "unread": row.unread,
                "is_muted": row.is_muted,
            }
            for row in rows
        ],
        "more": more,
        "tabs": [{"box": name.value, "title": say(title)} for name, title in TABS],
        "chosen": chosen.value,
        "requests": await tx.fetch_one(queries.REQUEST_COUNT, account=account),
        "q": q,
        "hits": hits,
    }


def _hit(message: MessageRow) -> dict[str, Any]:
    href = f"/conversations/{message.conversation_id}?cursor={message.position + 1}#m{message.position}"
    return {"href": href, "author": presenters.name_of(message.author), "body": message.body, "at": message.created_at}


async def _thread(request: Request, tx: Tx, row: ConversationRow, rows: list[MessageRow]) -> dict[str, Any]:
    items = await presenters.messages(request.services, tx, request.account.id, rows)
    return {
        "title": presenters.title(row),
        "items": items,
        "seen": presenters.seen_by(row),
        "editable_since": datetime.now(UTC) - timedelta(seconds=EDIT_SECONDS),
        "is_group": row.kind == "group",
    }


ROUTES: list[Any] = [conversations, conversation, changes, new, new_with]
