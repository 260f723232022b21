"""JSON routes of files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, patch, post
from litestar.params import Parameter
from msgspec import UNSET, UnsetType

from vetrina.accounts.storage import actions as storage
from vetrina.accounts.storage.model import StorageUse
from vetrina.core.database.paging import Page
from vetrina.core.database.records import to_record
from vetrina.core.services import Services
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.media import links, queries
from vetrina.media.files import actions, samples
from vetrina.media.files import upload_form as uploads
from vetrina.media.files.names import NAME_LIMIT, TAG_LIMIT, TAGS_LIMIT
from vetrina.media.model import Category, FileRow
from vetrina.media.sample_photographs import SAMPLES

Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=TAG_LIMIT)]


class Thumbnail(msgspec.Struct):
    """A smaller WebP version of an image, with its size in pixels."""

    url: str
    width: int
    height: int


class File(msgspec.Struct, kw_only=True):
    """An image. `bytes` and size are those of the original; URLs of a private file expire after two hours.

    `thumbnails` are keyed by their long side in pixels; none is larger than the image.
    """

    id: UUID
    category: Category
    mime: str
    width: int
    height: int
    bytes: int
    file_name: str
    colour: str = msgspec.field(name="dominant_color")
    tags: list[str]
    is_public: bool
    takedown_reason: str | None
    """Why an operator removed it from the public gallery; it cannot be published then."""
    created_at: datetime
    url: str
    thumbnail_url: str
    thumbnails: dict[str, Thumbnail]


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """A change of a file; omitted fields stay unchanged."""

    tags: Annotated[list[Tag], msgspec.Meta(max_length=TAGS_LIMIT)] | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET
    file_name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LIMIT)] | UnsetType = UNSET


class Used(msgspec.Struct):
    """The number of an account's files and the bytes of their originals; `storage` counts thumbnails and exports too."""

    files: int
    bytes: int
    storage: StorageUse


class SamplePhotograph(msgspec.Struct, frozen=True):
    """A photograph of the site that anyone may use for anything; `name` adds it to the library."""

    name: str
    title: str
    author: str
    licence: str
    category: Category


@post(
    "/files",
    opt=limited("uploads"),
    guards=[signed_in],
    tags=["files"],
    request_max_body_size=uploads.ONE_FILE,
    operation_class=uploads.UploadOperation,
)
async def upload(request: Request) -> File:
    """Upload an image (JPEG, PNG, WebP or AVIF, up to 25 MB and 40 megapixels). It is re-encoded without metadata.

    402 the plan's uploads are used up, 409 the account's storage is full, 413 too large, 415 unsupported format, 422 damaged
    or of invalid size or category, 429 retry later, 507 the site has no room.
    """
    return to_file(request.services, await uploads.take_one(request))


@get("/samples", guards=[signed_in], tags=["files"], sync_to_thread=False)
def list_samples() -> list[SamplePhotograph]:
    """List the site's sample photographs, which an account without pictures of its own can try the studio with."""
    return [
        SamplePhotograph(sample.name, sample.title, sample.author, sample.licence, Category(f"{sample.role}_image"))
        for sample in SAMPLES.values()
    ]


@post("/samples/{name:str}", guards=[signed_in], tags=["files"], opt=limited("uploads"))
async def add_sample(request: Request, name: str) -> File:
    """Add a sample photograph to the library, once: sent again, it returns the same file. It takes no upload of the plan.

    409 the account's storage is full, 429 retry later.
    """
    return to_file(request.services, await samples.add(request.services, request.account.id, name))


@get("/files", guards=[signed_in], tags=["files"])
async def files(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    category: Category | None = None,
    tag: Annotated[str | None, Parameter(max_length=TAG_LIMIT)] = None,
    q: Annotated[str | None, Parameter(max_length=100, description="Part of the name or of a tag.")] = None,
) -> Page[File]:
    """List the account's files, newest first."""
    async with request.read() as tx:
        page = await actions.search(
            tx,
            request.account.id,
            cursor,
            limit,
            category=category,
            tag=tag or None,
            q=q or None,
        )
    return page.map(lambda row: to_file(request.services, row))


@get("/files/usage", guards=[signed_in], tags=["files"])
async def used(request: Request) -> Used:
    """Return the storage used by the account."""
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.USED, account=request.account.id)
        stored = await storage.use(tx, request.account.id)
    return Used(sum(row.files for row in rows), sum(row.bytes for row in rows), stored)


@get("/files/{file_id:uuid}", guards=[signed_in], tags=["files"])
async def file(request: Request, file_id: UUID) -> File:
    """Return a file."""
    async with request.read() as tx:
        return to_file(request.services, await tx.fetch_one(queries.ONE, account=request.account.id, id=file_id))


@patch("/files/{file_id:uuid}", guards=[signed_in], tags=["files"])
async def change(request: Request, file_id: UUID, data: Change) -> File:
    """Rename, tag, publish or hide a file."""
    given = {key: value for key, value in msgspec.structs.asdict(data).items() if value is not UNSET}
    async with request.tx() as tx:
        return to_file(request.services, await actions.change(tx, request.account.id, file_id, **given))


def to_file(services: Services, row: FileRow) -> File:
    """Return a row's file with its URLs."""
    facts = row.facts()
    ref = links.ref(services, row.account_id, facts)
    return to_record(
        File,
        row,
        url=ref.url,
        thumbnail_url=ref.thumbnail_url,
        thumbnails={
            size: Thumbnail(links.link(services, row.account_id, row.id, size, is_public=row.is_public), side.width, side.height)
            for size, side in facts.thumbnails.items()
        },
    )


ROUTES: list[Any] = [upload, list_samples, add_sample, files, used, file, change]
