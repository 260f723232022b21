"""The page of privacy, and where a copy of everything is fetched."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Stream

from vetrina.accounts.privacy import erasures, exports, queries
from vetrina.accounts.sessions.middleware import session_cookie
from vetrina.accounts.web import errors
from vetrina.core import audit
from vetrina.core.audit import Actor
from vetrina.core.errors import Forbidden, NotFound, Refusal, Unavailable
from vetrina.core.storage.store import NotStored, StorageUnavailable
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import UNCOMPRESSED

HOME = "/settings/privacy"


@get(HOME, guards=[signed_in], include_in_schema=False)
async def privacy(request: Request) -> Response[str]:
    """Copies of everything, and the way out."""
    return await _privacy(request)


@post(HOME + "/exports", guards=[signed_in], include_in_schema=False)
async def ask(request: Request) -> Response[Any]:
    """Ask for a copy."""
    try:
        async with request.tx() as tx:
            await exports.ask(tx, request.account.id)
    except exports.ExportAlreadyRunning as refused:
        return await _privacy(request, refused=refused)
    return pages.go(HOME, flash=("wait", "Your copy is being made. It will be here in a moment."))


@post(HOME + "/erasure", guards=[signed_in], include_in_schema=False)
async def erase(request: Request, data: Form) -> Response[Any]:
    """Erase the account, once the words and the password are right."""
    who = request.account
    confirmation, password = data.get("confirmation", ""), data.get("password", "")
    try:
        await erasures.ask(
            request.services, who.id, who.session_id, confirmation=confirmation, password=password, actor=request.actor
        )
    except Refusal as refused:
        return await _privacy(request, refused=refused, confirmation=confirmation)
    gone = session_cookie(request.services, None)
    return pages.go("/", flash=("good", "Your account is closed. What is personal is being erased now."), cookies=[gone])


@get("/exports/{account_id:uuid}/{file:str}", include_in_schema=False, opt=UNCOMPRESSED)
async def fetch(request: Request, account_id: UUID, file: str) -> Response[Any]:
    """The ZIP, to whoever holds a signed link. 404 when it has expired, 403 for a link that does not hold."""
    found = re.fullmatch(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.zip", file)
    if not found:
        raise NotFound
    if not request.services.links.check(f"/exports/{account_id}/{file}", request.url.query):
        raise Forbidden("This link has expired or is not complete. Open the page of privacy again to get a new one.")
    ip = request.client.host if request.client else None
    async with request.read() as tx:
        export = await tx.one(queries.EXPORT, account=account_id, id=UUID(found[1]))
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


async def _privacy(request: Request, *, refused: Refusal | None = None, confirmation: str = "") -> Response[str]:
    who = request.account
    async with request.read() as tx:
        rows = await tx.all(queries.EXPORTS, account=who.id)
        secret = await tx.one(queries.SECRET, account=who.id, session=who.session_id)
    return pages.render(
        request,
        "accounts/privacy/privacy.html",
        status=refused.status if refused else 200,
        nav="account",
        exports=[
            {
                "status": row.status,
                "bytes": row.bytes,
                "url": exports.link(request.services, row),
                "at": row.created_at,
                "expires_at": row.expires_at,
            }
            for row in rows
        ],
        waiting=any(row.status == "pending" for row in rows),
        phrase=erasures.PHRASE,
        has_password=secret.password_hash is not None,
        values={"confirmation": confirmation},
        errors=errors(refused, ("confirmation", "password")),
    )


ROUTES: list[Any] = [privacy, ask, erase, fetch]
