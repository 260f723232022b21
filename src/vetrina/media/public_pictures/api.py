"""JSON routes of public pictures: reports by anyone, decisions by operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import QueryParameter

from vetrina.accounts.roles.guards import operator
from vetrina.core.database.paging import Page
from vetrina.core.services import Services
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import limited_by_address
from vetrina.media import links
from vetrina.media.links import FileFacts, FileRef
from vetrina.media.public_pictures import actions
from vetrina.media.public_pictures.actions import NOTE_LENGTH, REASON_LENGTH
from vetrina.media.public_pictures.model import OpenReport, PictureRow, Reason, State


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """A report of a public picture."""

    reason: Reason
    note: Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH)] = ""


class Takedown(msgspec.Struct, forbid_unknown_fields=True):
    """The reason for removing a picture, which its owner reads."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_LENGTH)]


class PublicPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as operators see it. `file` has signed URLs while the picture is not public."""

    account_id: UUID
    id: UUID
    file: FileRef
    owner: str | None
    handle: str | None
    is_public: bool
    is_featured: bool
    takedown_reason: str | None
    taken_down_at: datetime | None
    reports: list[OpenReport]
    created_at: datetime


@post(
    "/public-pictures/{account_id:uuid}/{file_id:uuid}/reports",
    status_code=202,
    opt=limited_by_address("reports"),
    tags=["pictures"],
)
async def report(request: Request, account_id: UUID, file_id: UUID, data: Report) -> None:
    """Report a public picture to the operators, with or without an account. 404 for one that is not public."""
    async with request.tx() as tx:
        await actions.report(
            tx,
            request.services,
            account_id,
            file_id,
            reason=data.reason,
            note=data.note,
            reporter=reporter_of(request),
        )


@get("/operator/public-pictures", guards=[operator], tags=["operator"])
async def search(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    picture_state: Annotated[State, QueryParameter(name="state")] = "reported",
) -> Page[PublicPicture]:
    """Return pictures that are reported, public, taken down or chosen for the front page, the newest first."""
    async with request.read() as tx:
        page = await actions.search(tx, picture_state, cursor, limit)
    return page.map(lambda row: to_response(request.services, row))


@get("/operator/public-pictures/{account_id:uuid}/{file_id:uuid}", guards=[operator], tags=["operator"])
async def get_picture(request: Request, account_id: UUID, file_id: UUID) -> PublicPicture:
    """Return one picture. 404 for a private one that was never reported or taken down."""
    async with request.read() as tx:
        return to_response(request.services, await actions.get(tx, account_id, file_id))


@post("/operator/public-pictures/{account_id:uuid}/{file_id:uuid}/takedown", guards=[operator], tags=["operator"])
async def take_down(request: Request, account_id: UUID, file_id: UUID, data: Takedown) -> PublicPicture:
    """Remove a picture from every public place. Its owner is notified, and cannot publish it again."""
    async with request.tx() as tx:
        await actions.take_down(tx, request.services, account_id, file_id, reason=data.reason)
        return to_response(request.services, await actions.get(tx, account_id, file_id))


@delete("/operator/public-pictures/{account_id:uuid}/{file_id:uuid}/takedown", guards=[operator], tags=["operator"])
async def restore(request: Request, account_id: UUID, file_id: UUID) -> None:
    """Undo the removal of a picture."""
    async with request.tx() as tx:
        await actions.restore(tx, request.services, account_id, file_id)


@post(
    "/operator/public-pictures/{account_id:uuid}/{file_id:uuid}/dismissal", guards=[operator], status_code=204, tags=["operator"]
)
async def dismiss(request: Request, account_id: UUID, file_id: UUID) -> None:
    """Dismiss the open reports of a picture."""
    async with request.tx() as tx:
        await actions.dismiss(tx, account_id, file_id)


@post("/operator/public-pictures/{account_id:uuid}/{file_id:uuid}/featuring", guards=[operator], tags=["operator"])
async def feature(request: Request, account_id: UUID, file_id: UUID) -> PublicPicture:
    """Show a public picture at the top of the front page; the three chosen last are shown. 409 for a private one."""
    async with request.tx() as tx:
        await actions.feature(tx, account_id, file_id)
        return to_response(request.services, await actions.get(tx, account_id, file_id))


@delete("/operator/public-pictures/{account_id:uuid}/{file_id:uuid}/featuring", guards=[operator], tags=["operator"])
async def unfeature(request: Request, account_id: UUID, file_id: UUID) -> None:
    """Undo the choice for the front page."""
    async with request.tx() as tx:
        await actions.unfeature(tx, account_id, file_id)


def to_response(services: Services, row: PictureRow) -> PublicPicture:
    """Return the API's representation of a row."""
    return PublicPicture(
        account_id=row.account_id,
        id=row.id,
        file=links.ref(services, row.account_id, msgspec.convert(row.file, FileFacts)),
        owner=row.owner,
        handle=row.handle,
        is_public=row.is_public,
        is_featured=row.is_featured,
        takedown_reason=row.takedown_reason,
        taken_down_at=row.taken_down_at,
        reports=msgspec.convert(row.reports, list[OpenReport]),
        created_at=row.created_at,
    )


def reporter_of(request: Request) -> str:
    """Return the caller's account, else its address: what a report counts."""
    if request.principal is not None:
        return str(request.principal.id)
    return request.client.host if request.client else "unknown"


ROUTES: list[Any] = [report, search, get_picture, take_down, restore, dismiss, feature, unfeature]
