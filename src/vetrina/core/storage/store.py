"""File storage, on the local disk or in S3, Google or Azure storage, and signed links to files.

Keys are made by `key_of` from ids, never from a user's file name. A put is atomic: on disk obstore writes beside the file and
renames, but does not flush; `Storage` then flushes the file and its folders, so a finished put survives a power failure.
Buckets do both themselves.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore

from vetrina.core.storage import buckets, local_folder

SETTLED = 60 * 60.0
"""Seconds after which an unfinished put was certainly killed."""
CHUNK = 256 * 1024
"""Minimum bytes of one piece of a stream (the last may be smaller)."""
LINK_STEP = 15 * 60
"""Links expire at whole quarters of an hour (seconds), so that a page repeats the same links for a while."""

_KEY = re.compile(r"[0-9a-z][0-9a-z._-]*(/[0-9a-z][0-9a-z._-]*)+(#[0-9]+)?")


class StorageFailure(Exception):
    """The storage operation failed; the message says why, for the log."""


class NotStored(StorageFailure):
    """There is no file at that key."""


class StorageUnavailable(StorageFailure):
    """Disk full, no permission, network or credentials: not the caller's fault, and may be temporary."""


def key_of(account_id: UUID, file_id: UUID, variant: str) -> str:
    """Return the key of one variant ("original", "320") of a file. Raises ValueError if it could leave its folder."""
    return _checked(f"{account_id}/{file_id}/{variant}")


@dataclass(frozen=True)
class Stream:
    """A file being read: its size in bytes, and its pieces (to be iterated once)."""

    size: int
    chunks: AsyncIterator[bytes]


class Storage:
    """A file storage. Every method raises StorageUnavailable when it cannot be reached."""

    def __init__(self, reading: ObjectStore, writing: ObjectStore, folder: Path | None = None) -> None:
        self._reading = reading
        self._writing = writing
        self._folder = folder

    @classmethod
    def at(cls, url: str, folder: Path) -> Storage:
        """Return the storage at `url` (s3://, gs://, az://; credentials from the providers' usual variables).

        An empty url means `folder` on the local disk, which is created if missing. Raises BadSetting.
        """
        if url:
            return cls(*buckets.connect(url))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        store = LocalStore(folder)
        return cls(store, store, folder.resolve())

    async def put(self, key: str, data: bytes, mime: str) -> None:
        """Store `data` atomically, replacing what was there. Buckets keep `mime` as its content type."""
        await self._put(key, data, len(data), mime, use_multipart=False)

    async def put_file(self, key: str, file: Path, mime: str) -> None:
        """Store the bytes of a file, piece by piece, replacing what was there."""
        await self._put(key, file, file.stat().st_size, mime)  # noqa: ASYNC240  # a quick look at a local folder

    async def _put(self, key: str, source: bytes | Path, size: int, mime: str, **options: Any) -> None:
        with _failures(key):
            if self._folder is None:
                async with asyncio.timeout(buckets.seconds_for(size)):
                    await obstore.put_async(self._writing, _checked(key), source, attributes={"Content-Type": mime}, **options)
            else:
                await self._put_on_disk(key, source, options)
                await asyncio.to_thread(local_folder.flush, self._folder, key)

    async def _put_on_disk(self, key: str, source: bytes | Path, options: dict[str, Any]) -> None:
        for attempts_left in (2, 1, 0):
            try:
                await obstore.put_async(self._writing, _checked(key), source, **options)
                return
            except BaseError:  # a deletion may have removed a folder, empty until now, between its creation and the file's
                if not attempts_left:
                    raise

    async def get(self, key: str) -> bytes:
        """Return all bytes at `key`. Raises NotStored."""
        with _failures(key):
            result = await obstore.get_async(self._reading, _checked(key))
            return bytes(await result.bytes_async())

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> Stream:
        """Return the bytes at `key` from `start` to before `end`, piece by piece. Raises NotStored before the first piece.

        `Stream.size` is the size of the whole file.
        """
        with _failures(key):
            options: Any = {"range": (start, end) if end is not None else {"offset": start}} if start or end else {}
            result = await obstore.get_async(self._reading, _checked(key), options=options)
            return Stream(result.meta["size"], _pieces(key, result))

    async def exists(self, key: str) -> bool:
        """Return whether there is a file at `key`."""
        try:
            with _failures(key):
                await obstore.head_async(self._reading, _checked(key))
        except NotStored:
            return False
        return True

    async def size(self, key: str) -> int:
        """Return the number of bytes at `key`; 0 if there is no file."""
        try:
            with _failures(key):
                return (await obstore.head_async(self._reading, _checked(key)))["size"]
        except NotStored:
            return 0

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete the files at `keys`. Missing files are no error."""
        paths = [_checked(key) for key in keys]
        if self._folder is not None:
            for key in paths:
                with _failures(key):
                    await asyncio.to_thread(local_folder.remove, self._folder, key)
        elif paths:
            with _failures(paths[0]), contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._reading, paths)

    async def list(self, prefix: str) -> AsyncGenerator[str]:
        """Yield every key in the folder `prefix` ("" for all), unordered; on disk also drafts of killed puts."""
        with _failures(prefix):
            if self._folder is not None:
                keys = local_folder.keys(self._folder, prefix)
                while batch := await asyncio.to_thread(lambda: list(islice(keys, 1000))):
                    for key in batch:
                        yield key
                return
            pages = obstore.list(self._reading, prefix or None)  # pyright: ignore[reportUnknownMemberType]
            async for page in pages:
                for meta in page:
                    yield meta["path"]

    async def sweep(self, seconds: float = SETTLED) -> int:
        """Delete drafts on disk of puts killed at least `seconds` ago and return their number."""
        if self._folder is None:
            return 0
        with _failures(""):
            return await asyncio.to_thread(local_folder.sweep, self._folder, seconds)


async def _pieces(key: str, result: obstore.GetResult) -> AsyncGenerator[bytes]:
    with _failures(key):
        async for piece in result.stream(min_chunk_size=CHUNK):
            yield bytes(piece)


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"{key!r} is no storage key")
    return key


@contextlib.contextmanager
def _failures(key: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NotStored(f"nothing is stored under {key}") from None
    except TimeoutError as error:
        raise StorageUnavailable(f"{key}: the bucket did not take it in time") from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable(f"{key}: {error}") from error


class SignedLinks:
    """Signed links that give access to one path until they expire.

    The first secret signs; links signed with an older one stay valid during rotation.
    """

    def __init__(self, secret: bytes, *older: bytes) -> None:
        # a derived key, so that other signatures made with the same secret are never valid links
        self._keys = [hmac.digest(item, b"vetrina signed links", hashlib.sha256) for item in (secret, *older)]

    def sign(self, path: str, expires_in: int, *, now: float | None = None) -> str:
        """Return the query that grants access to `path` for at least `expires_in` seconds.

        It expires at most a quarter of an hour later than that.
        """
        last = int(time.time() if now is None else now) + expires_in
        expires = -(-last // LINK_STEP) * LINK_STEP
        return f"expires={expires}&signature={_signature(self._keys[0], path, expires)}"

    def check(self, path: str, query: str, *, now: float | None = None) -> bool:
        """Return whether `query` grants access to `path` now. Other parameters are ignored."""
        given = parse_qs(query, keep_blank_values=True)
        if len(given.get("expires", ())) != 1 or len(given.get("signature", ())) != 1:
            return False
        written, signature = given["expires"][0], given["signature"][0].encode()
        if not re.fullmatch(r"[1-9][0-9]{0,11}", written, re.ASCII):
            return False
        expires = int(written)
        matches = [hmac.compare_digest(_signature(key, path, expires).encode(), signature) for key in self._keys]
        return any(matches) and (time.time() if now is None else now) < expires


def _signature(key: bytes, path: str, expires: int) -> str:
    digest = hmac.digest(key, f"{expires}\n{path}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
