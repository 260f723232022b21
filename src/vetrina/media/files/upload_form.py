"""Files as they come in a form: streamed to a temporary file while they arrive, read when their turn has come."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.datastructures import FormMultiDict, UploadFile
from litestar.exceptions import HTTPException
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.core.web.request import Request
from vetrina.media.files import actions
from vetrina.media.model import UPLOADED, FileMissing, FileRow, FileTooLarge
from vetrina.media.processing.images import MAX_BYTES

ACCEPT = "image/jpeg,image/png,image/webp"
"""What file inputs offer."""
ONE_FILE = MAX_BYTES + 64 * 1024
"""Bytes of a body with one file and the form around it."""
MANY_FILES = 8 * MAX_BYTES
"""Bytes of a body with several."""


async def form_of(request: Request) -> FormMultiDict:
    """Return the form that was sent. Raises FileTooLarge (413), and as `Request.form` does."""
    try:
        return await request.form()
    except HTTPException as error:
        if error.status_code == 413:
            raise FileTooLarge from error
        raise


def files_of(form: FormMultiDict, field: str = "file") -> list[UploadFile]:
    """The files of one field; an input in which nothing was chosen sends none."""
    return [each for each in form.getall(field, []) if isinstance(each, UploadFile)]


async def take(services: Services, account: AccountId, file: UploadFile, category: str) -> FileRow:
    """Keep one file. Raises as `actions.upload` does."""

    async def read() -> bytes:
        data = await file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FileTooLarge
        return data

    return await actions.upload(services, account, read, category=category, file_name=file.filename)


async def take_one(request: Request) -> FileRow:
    """Keep the file of a form with `file` and `category`. Raises FileMissing (422) besides."""
    form = await form_of(request)
    category = form.get("category")
    files = files_of(form)
    if len(files) != 1:
        raise FileMissing
    return await take(request.services, request.account.id, files[0], category if isinstance(category, str) else "")


@dataclass
class UploadOperation(Operation):
    """Tells OpenAPI of the form, which is read by `form_of`."""

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
                            "category": Schema(type=OpenAPIType.STRING, enum=[each.value for each in UPLOADED]),
                        },
                    )
                )
            },
        )
