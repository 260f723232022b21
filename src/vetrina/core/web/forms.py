"""Form parsing: limits, and multipart bodies read part by part.

Litestar's own multipart reader accepts a part without a name, does not support `filename*`, and holds any amount of text in
memory.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

from litestar.datastructures import UploadFile
from multipart import (  # pyright: ignore[reportMissingTypeStubs]
    MultipartSegment,
    ParserError,
    ParserLimitReached,
    PushMultipartParser,
)

from vetrina.core.errors import Malformed, TooLarge

FORM_BYTES = 64 * 1024
"""Limit of a form without files, and of all text in one with files."""
FORM_FIELDS = 200

_EXTENDED = re.compile(r";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]*)", re.IGNORECASE)
"""RFC 8187: charset, language (not needed for file names), and percent-encoded bytes."""


class TooManyFields(TooLarge):
    """This form has too many fields."""

    status = 413


def check_fields(body: bytes) -> None:
    """Raise TooManyFields (413) for an urlencoded body with more fields than a form may have."""
    if body.count(b"&") >= FORM_FIELDS:
        raise TooManyFields


async def read_multipart(chunks: AsyncIterator[bytes], boundary: str | None) -> dict[str, Any]:
    """Return the fields of a multipart body by name. Files go to temporary files while they arrive.

    Raises Malformed (400), TooManyFields and TooLarge (413); no file is left open then.
    """
    if not boundary:
        raise Malformed("The form's Content-Type has no boundary.")
    reader = _Reader()
    try:
        with PushMultipartParser(boundary, max_segment_count=FORM_FIELDS) as parser:
            async for chunk in chunks:
                if parser.closed:  # data after the last boundary is ignored
                    continue
                for event in parser.parse(chunk):
                    await reader.take(event)
    except ParserLimitReached:
        await reader.close()
        raise TooManyFields from None
    except (ParserError, UnicodeDecodeError, LookupError) as error:  # or text that cannot be decoded, an unknown charset
        await reader.close()
        raise Malformed("The form cannot be read.") from error
    except BaseException:
        await reader.close()
        raise
    return dict(reader.fields)


class _Reader:
    """The finished parts, and the current one."""

    def __init__(self) -> None:
        self.fields: defaultdict[str, list[str | UploadFile]] = defaultdict(list)
        self._segment: MultipartSegment | None = None
        self._file: UploadFile | None = None
        self._text = bytearray()
        self._text_bytes = 0

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """Process a part's head, a piece of its body, or (None) its end."""
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            await self._end()
        elif self._file is not None:
            await self._file.write(event)
        else:
            self._text_bytes += len(event)
            if self._text_bytes > FORM_BYTES:
                raise TooLarge("There is too much text in this form.")
            self._text += event

    def _begin(self, segment: MultipartSegment) -> None:
        if not segment.name:
            raise Malformed("A part of the form has no name.")
        self._segment = segment
        if file_name := _file_name(segment):
            headers = dict(segment.headerlist)
            self._file = UploadFile(content_type=segment.content_type or "text/plain", filename=file_name, headers=headers)

    async def _end(self) -> None:
        segment, file, text = self._segment, self._file, self._text
        self._segment, self._file, self._text = None, None, bytearray()
        if segment is None or segment.name is None:
            raise Malformed("The form cannot be read.")
        if file is not None:
            self.fields[segment.name].append(file)
            await file.seek(0)
        else:
            self.fields[segment.name].append(text.decode(segment.charset or "utf-8"))

    async def close(self) -> None:
        """Close every file."""
        for value in (self._file, *(value for values in self.fields.values() for value in values)):
            if isinstance(value, UploadFile):
                await value.close()


def _file_name(segment: MultipartSegment) -> str:
    """Return the part's file name: `filename*` before `filename`, as RFC 6266 says; "" for a part that is not a file."""
    extended = _EXTENDED.search(dict(segment.headerlist).get("Content-Disposition", ""))
    if extended is None:
        return segment.filename or ""
    return unquote(extended[2], encoding=extended[1], errors="strict")
