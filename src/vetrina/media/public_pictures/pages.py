"""Pages of public pictures: the report form, and the operators' list."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import Invalid, NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import limited_by_address
from vetrina.media import links, queries
from vetrina.media.files.names import alt_text
from vetrina.media.links import FileFacts
from vetrina.media.public_pictures import actions
from vetrina.media.public_pictures.actions import NOTE_LENGTH, REASON_LENGTH
from vetrina.media.public_pictures.api import reporter_of
from vetrina.media.public_pictures.model import OpenReport, PictureRow, Reason, State, TakedownReasonLength
from vetrina.web.i18n import N_, say

PAGE = 12
HOME = "/operator/public-pictures"
REASONS = {
    Reason.RIGHTS: N_("It uses my work without permission"),
    Reason.PRIVACY: N_("It shows a person who did not agree"),
    Reason.SEXUAL: N_("It is sexual"),
    Reason.VIOLENCE: N_("It shows violence or cruelty"),
    Reason.HATE: N_("It attacks a group of people"),
    Reason.SPAM: N_("It is advertising or fraud"),
    Reason.OTHER: N_("Something else"),
}
TABS: list[tuple[State, str]] = [
    ("reported", N_("Reported")),
    ("public", N_("Public")),
    ("taken_down", N_("Taken down")),
    ("featured", N_("Front page")),
]


@get("/report/{account_id:uuid}/{file_id:uuid}", include_in_schema=False)
async def report_form(request: Request, account_id: UUID, file_id: UUID) -> Response[str]:
    """Show the form that reports a public picture."""
    return await _report_form(request, account_id, file_id)


@post("/report/{account_id:uuid}/{file_id:uuid}", include_in_schema=False, opt=limited_by_address("reports"))
async def report(request: Request, account_id: UUID, file_id: UUID, data: Form) -> Response[Any]:
    """Send a report."""
    try:
        if (reason := data.get("reason", "")) not in set(Reason):
            raise Invalid("Choose a reason.")
        async with request.tx() as tx:
            await actions.report(
                tx,
                request.services,
                account_id,
                file_id,
                reason=Reason(reason),
                note=data.get("note", ""),
                reporter=reporter_of(request),
            )
    except Invalid as refusal:
        return await _report_form(request, account_id, file_id, data, refusal)
    return pages.redirect("/", flash=("good", say("Thank you. An operator looks at the picture.")))


@get(HOME, guards=[operator], include_in_schema=False)
async def pictures(
    request: Request, picture_state: Annotated[str, QueryParameter(name="state")] = "", cursor: Cursor = None
) -> Response[str]:
    """Show pictures that are reported, public, taken down or on the front page, the newest first."""
    return await _pictures(request, _state(picture_state), cursor)


@post(HOME + "/{account_id:uuid}/{file_id:uuid}/takedown", guards=[operator], include_in_schema=False)
async def take_down(request: Request, account_id: UUID, file_id: UUID, data: Form) -> Response[Any]:
    """Take a picture down, with a reason."""
    try:
        async with request.tx() as tx:
            await actions.take_down(tx, request.services, account_id, file_id, reason=data.get("reason", ""))
    except TakedownReasonLength as refusal:
        return await _pictures(request, _state(data.get("state")), None, refusal=refusal)
    return _back(data, say("Taken down. Its owner is notified."))


@post(HOME + "/{account_id:uuid}/{file_id:uuid}/restoration", guards=[operator], include_in_schema=False)
async def restore(request: Request, account_id: UUID, file_id: UUID, data: Form) -> Redirect:
    """Undo the removal of a picture."""
    async with request.tx() as tx:
        await actions.restore(tx, request.services, account_id, file_id)
    return _back(data, say("Restored. Its owner is notified."))


@post(HOME + "/{account_id:uuid}/{file_id:uuid}/dismissal", guards=[operator], include_in_schema=False)
async def dismiss(request: Request, account_id: UUID, file_id: UUID, data: Form) -> Redirect:
    """Dismiss the open reports of a picture."""
    async with request.tx() as tx:
        await actions.dismiss(tx, account_id, file_id)
    return _back(data, say("Dismissed. The picture stays public."))


@post(HOME + "/{account_id:uuid}/{file_id:uuid}/featuring", guards=[operator], include_in_schema=False)
async def feature(request: Request, account_id: UUID, file_id: UUID, data: Form) -> Redirect:
    """Choose a picture for the front page, or (field `undo`) no longer."""
    async with request.tx() as tx:
        if data.get("undo"):
            await actions.unfeature(tx, account_id, file_id)
        else:
            await actions.feature(tx, account_id, file_id)
    return _back(data, say("The front page is changed."))


async def _report_form(
    request: Request, account_id: UUID, file_id: UUID, data: dict[str, str] | None = None, refusal: Refusal | None = None
) -> Response[str]:
    async with request.read() as tx:
        if not await tx.fetch_optional(queries.IS_PUBLIC, account=account_id, id=file_id):
            raise NotFound
        row = await tx.fetch_one(queries.ONE, account=account_id, id=file_id)
    return pages.render(
        request,
        "media/public_pictures/report.html",
        refusal=refusal,
        picture={
            "thumb_url": links.thumbnail_url(request.services, account_id, row.facts(), links.THUMBNAIL),
            "width": row.width,
            "height": row.height,
            "colour": row.colour,
            "alt": alt_text(row.file_name),
        },
        reasons=[{"value": reason.value, "title": say(title)} for reason, title in REASONS.items()],
        note_length=NOTE_LENGTH,
        values=data or {},
        error=refusal.message if refusal else None,
    )


async def _pictures(request: Request, state: State, cursor: str | None, *, refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        page = await actions.search(tx, state, cursor, PAGE)
    return pages.render(
        request,
        "media/public_pictures/operator.html",
        refusal=refusal,
        nav="operator",
        tabs=[{"state": value, "title": say(title)} for value, title in TABS],
        state=state,
        pictures=[_card(request, row) for row in page.items],
        older=page.older(HOME, {"state": state}),
        reason_length=REASON_LENGTH,
        error=refusal.message if refusal else None,
    )


def _card(request: Request, row: PictureRow) -> dict[str, Any]:
    services, facts = request.services, msgspec.convert(row.file, FileFacts)
    generation = services.modules.link("picture", account=row.account_id, id=row.generation_id) if row.generation_id else None
    return {
        "thumb_url": links.thumbnail_url(services, row.account_id, facts, links.THUMBNAIL),
        "href": generation if generation and row.is_public else links.original_url(services, row.account_id, facts),
        "action": f"{HOME}/{row.account_id}/{row.id}",
        "account_href": f"/operator/accounts/{row.account_id}",
        "owner": row.owner or row.handle or str(row.account_id),
        "width": facts.width,
        "height": facts.height,
        "colour": facts.colour,
        "alt": alt_text(facts.file_name),
        "name": facts.file_name,
        "id": row.id,
        "is_public": row.is_public,
        "is_featured": row.is_featured,
        "takedown_reason": row.takedown_reason,
        "taken_down_at": row.taken_down_at,
        "created_at": row.created_at,
        "reports": [
            {"title": say(REASONS[item.reason]), "count": item.count, "notes": item.notes, "created_at": item.created_at}
            for item in msgspec.convert(row.reports, list[OpenReport])
        ],
    }


def _state(text: str | None) -> State:
    for state, _ in TABS:
        if text == str(state):
            return state
    return "reported"


def _back(data: dict[str, str], message: str) -> Redirect:
    state = _state(data.get("state"))
    return pages.redirect(f"{HOME}?state={state}", flash=("good", message))


ROUTES: list[Any] = [report_form, report, pictures, take_down, restore, dismiss, feature]
