"""Delivery of image bytes: by signed link, or to anyone for public files."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.response import Stream

from vetrina.core.errors import Forbidden, NotFound, Unavailable
from vetrina.core.storage.store import NotStored, Storage, StorageUnavailable, key_of
from vetrina.core.web.http import byte_ranges
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, QUIET, UNCOMPRESSED
from vetrina.media import queries
from vetrina.media.files.names import content_disposition
from vetrina.media.links import ORIGINAL
from vetrina.media.processing.file_types import detect_kind

_VARIANT = re.compile(rf"{ORIGINAL}|[1-9][0-9]{{1,4}}")
_MIMES = {"JPEG": "image/jpeg", "PNG": "image/png", "WebP": "image/webp"}
PUBLIC_SECONDS = 300
"""Cache lifetime of a public image in seconds; its owner may make it private at any time."""


class LinkExpired(Forbidden):
    """This link has expired or is incomplete. Reload the page to get a new one."""

    status = 403


@get(
    "/media/{account_id:uuid}/{file_id:uuid}/{variant:str}",
    include_in_schema=False,
    opt={**ANONYMOUS, **QUIET, **UNCOMPRESSED},
)
async def picture(request: Request, account_id: UUID, file_id: UUID, variant: str) -> Response[Any]:
    """Return one variant of a file. A signed link ends when its file is moved to the trash.

    404 for a file that is not there or is not public, 403 for an invalid link, whether or not the file exists.
    """
    if not _VARIANT.fullmatch(variant):
        raise NotFound
    services = request.services
    path, query = f"/media/{account_id}/{file_id}/{variant}", request.url.query
    signed = services.links.check(path, query)
    is_public = await _is_public(request, account_id, file_id)
    if signed and is_public is None:
        raise NotFound
    if not signed and not is_public:
        raise LinkExpired if "signature" in request.query_params else NotFound
    headers = {
        "Cache-Control": _lifetime(request.query_params["expires"]) if signed else f"public, max-age={PUBLIC_SECONDS}",
        "Cross-Origin-Resource-Policy": "same-site" if signed else "cross-origin",
    }
    if request.query_params.get("download") == "1":
        async with request.read() as tx:
            name = await tx.fetch_one(queries.NAME, account=account_id, id=file_id)
        headers["Content-Disposition"] = content_disposition(name.file_name, name.mime)
    return await deliver(request, account_id, file_id, variant, headers)


async def deliver(request: Request, account_id: UUID, file_id: UUID, variant: str, headers: dict[str, str]) -> Response[Any]:
    """Return the bytes of a variant with these headers, whole or in part, for a caller that may have them.

    Raises NotFound (404) for a variant that is not there, Unavailable (503) when the storage does not answer.
    """
    if not _VARIANT.fullmatch(variant):
        raise NotFound
    headers = {**headers, "ETag": f'"{file_id.hex}-{variant}"'}  # the bytes of an id never change
    if _etag_matches(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    byte_range = request.headers.get("range")
    if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        byte_range = None
    return await _respond(request.services.storage, key_of(account_id, file_id, variant), byte_range, headers)


async def _respond(storage: Storage, key: str, byte_range: str | None, headers: dict[str, str]) -> Response[Any]:
    headers["Accept-Ranges"] = "bytes"
    try:
        stream = await storage.stream(key)
        # the first chunk shows the type, and whether the storage responds at all
        first = await anext(stream.chunks)
        mime = _MIMES.get(detect_kind(first) or "", "application/octet-stream")
        bounds = byte_ranges.requested_range(byte_range, stream.size)
        if bounds is None:
            headers["Content-Length"] = str(stream.size)
            return Stream(_whole(first, stream.chunks), media_type=mime, headers=headers)
        piece = await storage.stream(key, *bounds)
        beginning = await anext(piece.chunks)
    except byte_ranges.NotSatisfiable as error:
        return Response(None, status_code=416, headers={**headers, "Content-Range": f"bytes */{error.size}"})
    except (NotStored, StopAsyncIteration):
        raise NotFound from None
    except StorageUnavailable as error:
        raise Unavailable("Images are not available at the moment. Try again later.") from error
    headers["Content-Length"] = str(bounds[1] - bounds[0])
    headers["Content-Range"] = f"bytes {bounds[0]}-{bounds[1] - 1}/{stream.size}"
    return Stream(_whole(beginning, piece.chunks), media_type=mime, headers=headers, status_code=206)


async def _is_public(request: Request, account_id: UUID, file_id: UUID) -> bool | None:
    """Return whether anyone may see the file; None if it does not exist or is in the trash."""
    async with request.read() as tx:
        return await tx.fetch_optional(queries.IS_PUBLIC, account=account_id, id=file_id)


async def _whole(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _lifetime(expires: str) -> str:
    return f"private, max-age={max(0, int(expires) - int(time.time()))}, immutable"


def _etag_matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in {tag_.strip().removeprefix("W/") for tag_ in header.split(",")}


ROUTES: list[Any] = [picture]
