"""Upload forms: files are streamed to a temporary file on arrival and read when a decoding slot is free."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import HTTPException
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.core.web.request import Request
from vetrina.media.files import actions
from vetrina.media.model import UPLOADED, FileMissing, FileRow, FileTooLarge
from vetrina.media.processing.dimensions import HEAD, MAX_PIXELS, pixel_count
from vetrina.media.processing.images import MAX_BYTES

_ACCEPTED = "image/jpeg,image/png,image/webp,image/avif,image/tiff"
_ACCEPTED_HEIC = ",image/heic,image/heif,.heic,.heif"
"""Some systems know no media type for these."""
ONE_FILE = MAX_BYTES + 64 * 1024
"""The largest body with one file, in bytes, including the form around it."""
MANY_FILES = 8 * MAX_BYTES
"""The largest body with several files, in bytes."""


def accepted(settings: Settings) -> str:
    """Return what file inputs offer (HTML's `accept`). Where HEIC is not offered, iPhones convert to JPEG by themselves."""
    return _ACCEPTED + (_ACCEPTED_HEIC if settings.heic else "")


async def form_of(request: Request) -> FormMultiDict:
    """Return the submitted form. Raises FileTooLarge (413) and the errors of `Request.form`."""
    try:
        return await request.form()
    except HTTPException as error:
        if error.status_code == 413:
            raise FileTooLarge from error
        raise


def files_of(form: FormMultiDict, field: str = "file") -> list[UploadFile]:
    """Return the files of a field; an empty file input has none."""
    return [item for item in form.getall(field, []) if isinstance(item, UploadFile)]


async def take(services: Services, account: AccountId, file: UploadFile, category: str) -> FileRow:
    """Upload one file. Raises the errors of `actions.upload`."""
    head = await file.read(HEAD)
    await file.seek(0)
    pixels = min(pixel_count(head) or MAX_PIXELS, MAX_PIXELS)

    async def read() -> bytes:
        data = await file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FileTooLarge
        return data

    return await actions.upload(services, account, read, category=category, file_name=file.filename, pixels=pixels)


async def take_one(request: Request) -> FileRow:
    """Upload the file of a form with `file` and `category`. Raises FileMissing (422) too."""
    form = await form_of(request)
    category = form.get("category")
    files = files_of(form)
    if len(files) != 1:
        raise FileMissing
    return await take(request.services, request.account.id, files[0], category if isinstance(category, str) else "")


@dataclass
class UploadOperation(Operation):
    """The OpenAPI operation of the form that `form_of` reads."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            required=True,
            content={
                "multipart/form-data": OpenAPIMediaType(
                    schema=Schema(
                        type=OpenAPIType.OBJECT,
                        required=["file", "category"],
                        properties={
                            "file": Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream"),
                            "category": Schema(type=OpenAPIType.STRING, enum=[item.value for item in UPLOADED]),
                        },
                    )
                )
            },
        )
