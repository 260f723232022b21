"""The privacy page, and the download of exports."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Stream

from vetrina.accounts.privacy import erasures, exports, queries
from vetrina.accounts.sessions.middleware import session_cookie
from vetrina.accounts.storage import actions as storage
from vetrina.accounts.web import caller
from vetrina.core import audit
from vetrina.core.audit import Actor
from vetrina.core.errors import Forbidden, NotFound, Refusal, Unavailable
from vetrina.core.storage.store import NotStored, StorageUnavailable
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import UNCOMPRESSED
from vetrina.web.i18n import say

PATH = "/settings/privacy"


@get(PATH, guards=[signed_in], include_in_schema=False)
async def privacy(request: Request) -> Response[str]:
    """Show the exports and the erasure form."""
    return await _privacy(request)


@post(PATH + "/exports", guards=[signed_in], include_in_schema=False)
async def request_export(request: Request) -> Response[Any]:
    """Request an export."""
    try:
        async with request.tx() as tx:
            await exports.request_export(tx, request.services, request.account.id)
    except Refusal as refusal:
        return await _privacy(request, refusal=refusal)
    return pages.redirect(PATH, flash=("wait", say("Your export is being prepared. It will be here in a moment.")))


@post(PATH + "/exports/{export_id:uuid}/deletion", guards=[signed_in], include_in_schema=False)
async def delete_export(request: Request, export_id: UUID) -> Response[Any]:
    """Delete an export."""
    async with request.tx() as tx:
        await exports.delete(tx, request.account.id, export_id)
    return pages.redirect(PATH, flash=("good", say("The export is deleted.")))


@post(PATH + "/erasure", guards=[signed_in], include_in_schema=False)
async def erase(request: Request, data: Form) -> Response[Any]:
    """Erase the account, if the words and the password are right."""
    account = request.account
    confirmation, password = data.get("confirmation", ""), data.get("password", "")
    try:
        await erasures.request_erasure(
            request.services, account.id, account.session_id, confirmation=confirmation, password=password, caller=caller(request)
        )
    except Refusal as refusal:
        return await _privacy(request, refusal=refusal, confirmation=confirmation)
    signed_out = session_cookie(request.services, None)
    flash = ("good", "Your account is closed. Its personal data is being erased now.")
    return pages.redirect("/", flash=flash, cookies=[signed_out])


@get("/exports/{account_id:uuid}/{file:str}", include_in_schema=False, opt=UNCOMPRESSED)
async def download(request: Request, account_id: UUID, file: str) -> Response[Any]:
    """Return the ZIP for a signed link. 404 when the export has expired, 403 for an invalid link."""
    match = re.fullmatch(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.zip", file)
    if not match:
        raise NotFound
    if not request.services.links.check(f"/exports/{account_id}/{file}", request.url.query):
        raise Forbidden("This link has expired or is not complete. Open the privacy page again to get a new one.")
    ip = request.client.host if request.client else None
    async with request.read() as tx:
        export = await tx.fetch_one(queries.EXPORT, account=account_id, id=UUID(match[1]))
    if export.storage_key is None:
        raise NotFound
    try:
        stream = await request.services.storage.stream(export.storage_key)
    except NotStored:
        raise NotFound from None
    except StorageUnavailable as error:
        raise Unavailable from error
    async with request.tx() as tx:
        actor = request.actor if request.principal else Actor("system", None, ip)
        await audit.record(tx, "export_fetched", account_id, resource=("export", export.id), actor=actor)
    name = f"vetrina-{export.created_at:%Y-%m-%d}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(stream.size),
        "Cache-Control": "private, no-store",
    }
    return Stream(stream.chunks, media_type="application/zip", headers=headers)


async def _privacy(request: Request, *, refusal: Refusal | None = None, confirmation: str = "") -> Response[str]:
    account = request.account
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.EXPORTS, account=account.id)
        proof = await tx.fetch_one(queries.OWNER_PROOF, account=account.id, session=account.session_id)
        stored = await storage.use(tx, account.id)
    return pages.render(
        request,
        "accounts/privacy/privacy.html",
        refusal=refusal,
        nav="account",
        exports=[
            {
                "id": row.id,
                "status": row.status,
                "bytes": row.bytes,
                "url": exports.link(request.services, row),
                "at": row.created_at,
                "expires_at": row.expires_at,
            }
            for row in rows
        ],
        waiting=any(row.status == "pending" for row in rows),
        storage=stored,
        phrase=erasures.PHRASE,
        has_password=proof.password_hash is not None,
        values={"confirmation": confirmation},
        fields=("confirmation", "password"),
    )


ROUTES: list[Any] = [privacy, request_export, delete_export, erase, download]
