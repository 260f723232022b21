"""An album as a ZIP, made while it is sent: neither the archive nor a picture is ever whole in memory.

Pictures are stored as they are, since they are compressed already; so the size is known before the first byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, TypeVar

from zipstream import ZIP_STORED, ZipStream  # pyright: ignore[reportMissingTypeStubs]

from vetrina.core.storage.store import Storage, key_of
from vetrina.media.links import ORIGINAL
from vetrina.media.model import FileRow

Result = TypeVar("Result")
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


class Archive:
    """The ZIP of these files. `size` is its length in bytes."""

    def __init__(self, storage: Storage, files: Sequence[FileRow]) -> None:
        self._storage = storage
        self._loop = asyncio.get_running_loop()
        self._zip: Any = ZipStream(compress_type=ZIP_STORED, sized=True)
        for name, file in zip(names(files), files, strict=True):
            self._zip.add(self._pieces(file), name, size=file.bytes)
        self.size = len(self._zip)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the archive. Raises StorageFailure in the middle, so that a download with a missing picture is seen to fail."""
        pieces: Iterator[bytes] = iter(self._zip)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    def _pieces(self, file: FileRow) -> Iterator[bytes]:
        """Yield an original's bytes, from a thread other than the event loop's."""
        stream = self._wait(self._storage.stream(key_of(file.account_id, file.id, ORIGINAL)))
        while (piece := self._wait(anext(stream.chunks, None))) is not None:
            yield piece

    def _wait(self, work: Awaitable[Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(_awaited(work), self._loop).result()


def names(files: Iterable[FileRow]) -> list[str]:
    """Return the files' names with the extension of their type, numbered in order, so that none repeats."""
    rows = list(files)
    digits = max(2, len(str(len(rows))))
    return [
        f"{number:0{digits}} {PurePosixPath(row.file_name).stem[:120]}{_ENDINGS[row.mime]}" for number, row in enumerate(rows, 1)
    ]


async def _awaited(work: Awaitable[Result]) -> Result:
    return await work
