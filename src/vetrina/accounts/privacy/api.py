"""JSON routes of data exports and erasure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.accounts.privacy import erasures, exports, queries
from vetrina.accounts.privacy.queries import Export
from vetrina.accounts.web import caller
from vetrina.core.database.paging import Page
from vetrina.core.services import Services
from vetrina.core.web.request import Request, signed_in


class ExportView(msgspec.Struct):
    """A data export: `url` downloads it for an hour once it is ready."""

    id: UUID
    status: Literal["pending", "ready", "failed"]
    bytes: int | None
    url: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime


class Erasure(msgspec.Struct, forbid_unknown_fields=True):
    """The words "erase my account", and the account's password if it has one."""

    confirmation: Annotated[str, msgspec.Meta(max_length=100)]
    password: Annotated[str, msgspec.Meta(max_length=2048)] = ""


@get("/exports", guards=[signed_in], tags=["privacy"])
async def list_exports(request: Request) -> Page[ExportView]:
    """Return the account's exports that have not expired, the newest first."""
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.EXPORTS, account=request.account.id)
    return Page([_view(request.services, row) for row in rows], None)


@post("/exports", guards=[signed_in], status_code=202, tags=["privacy"])
async def request_export(request: Request) -> ExportView:
    """Request an export of the account's data: a ZIP of JSON and pictures. It replaces an older one once it is ready.

    409 while one is pending, 507 while the site has no room.
    """
    async with request.tx() as tx:
        export = await exports.request_export(tx, request.services, request.account.id)
        return _view(request.services, await tx.fetch_one(queries.EXPORT, account=request.account.id, id=export))


@get("/exports/{export_id:uuid}", guards=[signed_in], tags=["privacy"])
async def get_export(request: Request, export_id: UUID) -> ExportView:
    """Return one export."""
    async with request.read() as tx:
        return _view(request.services, await tx.fetch_one(queries.EXPORT, account=request.account.id, id=export_id))


@delete("/exports/{export_id:uuid}", guards=[signed_in], tags=["privacy"])
async def delete_export(request: Request, export_id: UUID) -> None:
    """Delete an export and its bytes. 404 while it is pending."""
    async with request.tx() as tx:
        await exports.delete(tx, request.account.id, export_id)


@post("/erasure", guards=[signed_in], status_code=202, tags=["privacy"])
async def erase(request: Request, data: Erasure) -> None:
    """Erase the account. It is disabled at once and its personal data deleted within minutes; ledger and audit log stay."""
    account = request.account
    await erasures.request_erasure(
        request.services,
        account.id,
        account.session_id,
        confirmation=data.confirmation,
        password=data.password,
        caller=caller(request),
    )


def _view(services: Services, row: Export) -> ExportView:
    return ExportView(
        row.id,
        row.status,  # pyright: ignore[reportArgumentType]
        row.bytes,
        exports.link(services, row),
        row.created_at,
        row.finished_at,
        row.expires_at,
    )


ROUTES: list[Any] = [list_exports, request_export, get_export, delete_export, erase]
