"""What the engines on other machines share: a capped transport, checked pictures, steady progress."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from functools import cache

import httpx2
import msgspec
import pyvips

from vetrina.clients.engines.base import EngineRefused, Progress

MEGABYTE = 1024 * 1024
LARGEST_PICTURE_PIXELS = 40_000_000
"""The library's own cap (see the design): a larger answer could not be kept anyway."""

_LOADERS = {
    b"\x89PNG\r\n\x1a\n": ("image/png", "pngload_buffer"),
    b"\xff\xd8\xff": ("image/jpeg", "jpegload_buffer"),
    b"RIFF": ("image/webp", "webpload_buffer"),
}


class Picture(msgspec.Struct, frozen=True):
    """A picture's media type and size in pixels, as its header tells."""

    mime: str
    width: int
    height: int

    @property
    def suffix(self) -> str:
        """The usual end of a file's name, without the dot."""
        return self.mime.removeprefix("image/").replace("jpeg", "jpg")


def look(data: bytes) -> Picture:
    """What the header says; no pixel is decoded, for that is left to the library's fenced child.

    Raises ValueError for anything but PNG, JPEG and WebP.
    """
    for start, (mime, loader) in _LOADERS.items():
        if data.startswith(start) and (start != b"RIFF" or data[8:12] == b"WEBP"):
            try:
                image = getattr(pyvips.Image, loader)(data)
            except pyvips.Error as error:
                raise ValueError("broken header") from error
            return Picture(mime, image.width, image.height)
    raise ValueError("not a PNG, JPEG or WebP")


def given(photographs: dict[str, bytes]) -> dict[str, Picture]:
    """The headers of what a user gave. Raises EngineRefused for what no engine could use."""
    try:
        return {name: look(data) for name, data in photographs.items()}
    except ValueError as error:
        raise EngineRefused("One of the photographs is not a PNG, JPEG or WebP picture.") from error


def checked(data: bytes, whose: str) -> Picture:
    """The header of a picture which another server sent us. Raises EngineRefused if it is none, or huge."""
    try:
        picture = look(data)
    except ValueError as error:
        raise EngineRefused(f"{whose} sent something that is not a picture, so it was not taken.") from error
    if picture.width * picture.height > LARGEST_PICTURE_PIXELS:
        raise EngineRefused(
            f"{whose} sent a picture of {picture.width} by {picture.height} pixels, more than we take."
        )
    return picture


class Steady:
    """A `Progress` that never falls, although a try may start again, and says nothing twice over."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._highest = 0.0
        self._last = ("", -1.0)

    async def __call__(self, fraction: float, step: str) -> None:
        self._highest = max(self._highest, min(fraction, 1.0))
        if self._last != (step, self._highest):
            self._last = (step, self._highest)
            await self._progress(self._highest, step)


class CappedTransport(httpx2.AsyncHTTPTransport):
    """HTTP whose answers may have no more than `limit` bytes: beyond that, EngineRefused.

    Compressed answers are refused as well (the client asks for `identity`), so that the cap on the
    wire is the cap in memory.
    """

    def __init__(self, limit: int, whose: str) -> None:
        super().__init__(verify=_trust(), trust_env=False)
        self._limit = limit
        self._whose = whose

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        length = response.headers.get("content-length", "0")
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise EngineRefused(f"{self._whose} sent a compressed answer, which we do not take.")
        if length.isdigit() and int(length) > self._limit:
            await response.aclose()
            raise self._too_large()
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Capped(response.stream, self._limit, self._too_large())
        return response

    def _too_large(self) -> EngineRefused:
        return EngineRefused(
            f"{self._whose} sent more than {self._limit / MEGABYTE:g} MB, so its answer was not taken."
        )


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, limit: int, refusal: EngineRefused) -> None:
        self._stream = stream
        self._left = limit
        self._refusal = refusal

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise self._refusal
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that we trust; read once, for it takes longer than a whole request."""
    return httpx2.create_ssl_context()


def client(
    *,
    whose: str,
    limit: int,
    timeout: httpx2.Timeout,
    headers: dict[str, str] | None = None,
    base_url: str = "",
) -> httpx2.AsyncClient:
    """An HTTP client for one other server: no redirect followed, no proxy or .netrc from the environment."""
    return httpx2.AsyncClient(
        transport=CappedTransport(limit, whose),
        timeout=timeout,
        headers={"Accept-Encoding": "identity", **(headers or {})},
        follow_redirects=False,
        trust_env=False,
        base_url=base_url,
    )
