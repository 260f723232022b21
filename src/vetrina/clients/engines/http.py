"""What engines on other machines share: a capped transport, checks of image headers, monotonic progress."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import msgspec
import pyvips

from vetrina.clients.engines.base import EngineRefused, Progress
from vetrina.clients.tls import certificates

MEGABYTE = 1024 * 1024
MAX_IMAGE_PIXELS = 40_000_000
"""The library's own limit: a larger result could not be stored."""

_LOADERS = {
    b"\x89PNG\r\n\x1a\n": ("image/png", "pngload_buffer"),
    b"\xff\xd8\xff": ("image/jpeg", "jpegload_buffer"),
    b"RIFF": ("image/webp", "webpload_buffer"),
}


class ImageHeader(msgspec.Struct, frozen=True):
    """An image's media type and size in pixels, as its header states."""

    mime: str
    width: int
    height: int

    @property
    def suffix(self) -> str:
        """The usual file name extension, without the dot."""
        return self.mime.removeprefix("image/").replace("jpeg", "jpg")


def read_header(data: bytes) -> ImageHeader:
    """Return the image's header; no pixel is decoded here, the library's isolated child does that.

    Raises ValueError for anything but PNG, JPEG and WebP.
    """
    for magic, (mime, loader) in _LOADERS.items():
        if data.startswith(magic) and (magic != b"RIFF" or data[8:12] == b"WEBP"):
            try:
                image = getattr(pyvips.Image, loader)(data)
            except pyvips.Error as error:
                raise ValueError("broken header") from error
            return ImageHeader(mime, image.width, image.height)
    raise ValueError("not a PNG, JPEG or WebP")


def read_headers(photographs: dict[str, bytes]) -> dict[str, ImageHeader]:
    """Return the headers of a user's photographs. Raises EngineRefused for one that no engine can use."""
    try:
        return {name: read_header(data) for name, data in photographs.items()}
    except ValueError as error:
        raise EngineRefused("One of the photographs is not a PNG, JPEG or WebP picture.") from error


def require_image(data: bytes, service: str) -> ImageHeader:
    """Return the header of an image that `service` sent. Raises EngineRefused if it is not one, or too large."""
    try:
        header = read_header(data)
    except ValueError as error:
        raise EngineRefused(f"{service} sent something that is not a picture, so it was not taken.") from error
    if header.width * header.height > MAX_IMAGE_PIXELS:
        raise EngineRefused(f"{service} sent a picture of {header.width} by {header.height} pixels, more than we take.")
    return header


class MonotonicProgress:
    """A `Progress` that never falls, although a request may be retried, and repeats nothing."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._highest = 0.0
        self._last = ("", -1.0)

    async def __call__(self, fraction: float, step: str) -> None:
        """Report progress; a fraction below an earlier one is reported as the earlier one, repetitions are not reported."""
        self._highest = max(self._highest, min(fraction, 1.0))
        if self._last != (step, self._highest):
            self._last = (step, self._highest)
            await self._progress(self._highest, step)


class CappedTransport(httpx2.AsyncHTTPTransport):
    """HTTP whose responses may have no more than `limit` bytes: beyond that, EngineRefused.

    Compressed responses are refused as well (the client asks for `identity`), so that the limit on the
    wire is the limit in memory.
    """

    def __init__(self, limit: int, service: str) -> None:
        super().__init__(verify=certificates(), trust_env=False)
        self._limit = limit
        self._service = service

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request. Raises EngineRefused for a compressed or too large response, also while its body is read."""
        response = await super().handle_async_request(request)
        length = response.headers.get("content-length", "0")
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise EngineRefused(f"{self._service} sent a compressed answer, which we do not take.")
        if length.isdigit() and int(length) > self._limit:
            await response.aclose()
            raise self._too_large()
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _CappedStream(response.stream, self._limit, self._too_large())
        return response

    def _too_large(self) -> EngineRefused:
        return EngineRefused(f"{self._service} sent more than {self._limit / MEGABYTE:g} MB, so its answer was not taken.")


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, limit: int, refusal: EngineRefused) -> None:
        self._stream = stream
        self._remaining = limit
        self._refusal = refusal

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._remaining -= len(chunk)
            if self._remaining < 0:
                raise self._refusal
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def client(
    *,
    service: str,
    limit: int,
    timeout: httpx2.Timeout,
    headers: dict[str, str] | None = None,
    base_url: str = "",
) -> httpx2.AsyncClient:
    """Return an HTTP client for one server: it follows no redirect and reads no proxy or .netrc from the environment."""
    return httpx2.AsyncClient(
        transport=CappedTransport(limit, service),
        timeout=timeout,
        headers={"Accept-Encoding": "identity", **(headers or {})},
        follow_redirects=False,
        trust_env=False,
        base_url=base_url,
    )
