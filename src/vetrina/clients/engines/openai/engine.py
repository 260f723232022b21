"""Pictures from any endpoint that speaks the OpenAI Images API, through the official SDK.

Without photographs `images/generations` is asked, with them `images/edits`. Partial pictures
drive the progress where the endpoint can stream; one that cannot is asked again without, and
remembered. Source: the installed SDK (openai 3.52) and the public API reference.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import httpx2
import msgspec
import openai

from vetrina.clients.engines.base import (
    EngineRefused,
    EngineRequest,
    EngineResult,
    EngineUnavailable,
    Progress,
)
from vetrina.clients.engines.http import MEGABYTE, Steady, checked, client
from vetrina.clients.engines.openai import errors as refusals
from vetrina.clients.engines.openai.request import Asked, ask
from vetrina.clients.engines.openai.styles import STYLES
from vetrina.clients.engines.retry import Backoff, Passing, retried

__all__ = ["DEFAULT_MODEL", "STYLES", "OpenAIImages"]

DEFAULT_MODEL = "gpt-image-2.5-sunburst"
"""The model for exact edits; the one to use since `gpt-image-1` was shut down in 2026."""

WHOSE = "The image service"
_PARTIALS = 2


class _Piece(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Answer(msgspec.Struct):
    data: list[_Piece] | None = None
    usage: dict[str, Any] | None = None


class OpenAIImages:
    """An engine behind `base_url` (such as `https://host/v1`).

    `api_key` None sends no Authorization, for endpoints that want none. `whole_timeout` (seconds)
    holds for all tries together. Every try of one picture carries the same Idempotency-Key.
    """

    name = "openai"

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        model: str = DEFAULT_MODEL,
        *,
        connect_timeout: float = 10.0,
        whole_timeout: float = 300.0,
        largest_answer: int = 64 * MEGABYTE,
        stream: bool = True,
        backoff: Backoff | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of the image service must begin with http:// or https://")
        self._base_url = base_url.rstrip("/") + "/"
        self._key = api_key or None
        self._model = model
        self._connect = connect_timeout
        self._whole = whole_timeout
        self._largest = largest_answer
        self._stream = stream
        self._backoff = backoff or Backoff()

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        """Make one picture. Raises EngineRefused or EngineUnavailable, both in plain words."""
        told = Steady(progress)
        asked = ask(request, self._model)
        tries = 0

        async def once() -> tuple[_Piece, dict[str, Any] | None]:
            nonlocal tries
            tries += 1
            return await self._once(sdk, asked, told)

        async def waiting(why: str, seconds: float) -> None:
            await told(0.0, f"{why} Trying again in {max(1, round(seconds))} s")

        try:
            async with asyncio.timeout(self._whole), self._client() as http:
                sdk = openai.AsyncOpenAI(
                    base_url=self._base_url, api_key=self._key or "none", max_retries=0, http_client=http
                )
                piece, usage = await retried(once, self._backoff, waiting)
                await told(0.9, "Receiving the picture")
                data = await self._bytes(http, piece)
        except TimeoutError as error:
            raise EngineUnavailable(
                f"The image service did not finish within {self._whole:g} seconds."
            ) from error
        picture = checked(data, WHOSE)
        await told(1.0, "Done")
        return EngineResult(images=[data], mime=picture.mime, notes=self._notes(asked, piece, usage, tries))

    def _client(self) -> httpx2.AsyncClient:
        timeout = httpx2.Timeout(self._whole, connect=self._connect)
        return client(whose=WHOSE, limit=self._largest, timeout=timeout)

    async def _once(
        self, sdk: openai.AsyncOpenAI, asked: Asked, told: Steady
    ) -> tuple[_Piece, dict[str, Any] | None]:
        await told(0.02, "Sending the photographs" if asked.edit else "Sending the words")
        stream = self._stream
        try:
            answer = await (self._streamed if stream else self._whole_answer)(sdk, asked, told)
        except openai.APIError as error:
            if stream and refusals.about_streaming(error):
                self._stream = False
                return await self._once(sdk, asked, told)
            raise refusals.in_plain_words(error, model=self._model, key=self._key) from error
        except httpx2.RequestError as error:  # while reading what the SDK left to us
            raise Passing(refusals.CUT_SHORT) from error
        except (msgspec.DecodeError, ValueError) as error:
            # Not tried again here: the picture may have been made, and paid for.
            raise EngineUnavailable(refusals.UNREADABLE) from error
        pieces = [piece for piece in answer.data or [] if piece.b64_json or piece.url]
        if not pieces:
            raise EngineRefused(
                "The image service answered without a picture. Its safety rules may have removed it."
            )
        return pieces[0], answer.usage

    async def _whole_answer(self, sdk: openai.AsyncOpenAI, asked: Asked, told: Steady) -> _Answer:
        await told(0.1, "Waiting for the picture")
        images = sdk.images.with_raw_response
        response = await self._call(images.edit if asked.edit else images.generate, asked)
        return msgspec.json.decode(response.content, type=_Answer)

    async def _streamed(self, sdk: openai.AsyncOpenAI, asked: Asked, told: Steady) -> _Answer:
        await told(0.1, "Waiting for the picture")
        method = sdk.images.edit if asked.edit else sdk.images.generate
        async with await self._call(method, asked, stream=True, partial_images=_PARTIALS) as stream:
            kind = stream.response.headers.get("content-type", "")
            if not kind.startswith("text/event-stream"):  # the endpoint ignored `stream`
                return msgspec.json.decode(await stream.response.aread(), type=_Answer)
            async for event in stream:
                what = str(getattr(event, "type", ""))
                if what.endswith(".partial_image"):
                    seen = int(getattr(event, "partial_image_index", 0)) + 1
                    await told(0.1 + 0.75 * seen / (_PARTIALS + 1), f"The picture takes shape ({seen})")
                elif what.endswith(".completed"):
                    usage = getattr(event, "usage", None)
                    return _Answer(
                        [_Piece(b64_json=getattr(event, "b64_json", None), url=getattr(event, "url", None))],
                        usage.to_dict() if isinstance(usage, openai.BaseModel) else None,
                    )
        raise Passing(refusals.CUT_SHORT)

    async def _call(self, method: Any, asked: Asked, **more: Any) -> Any:
        headers: dict[str, Any] = {"Idempotency-Key": asked.key}
        if self._key is None:
            headers["Authorization"] = openai.Omit()
        call = cast(Callable[..., Awaitable[Any]], method)
        return await call(**asked.arguments, **more, extra_headers=headers)

    async def _bytes(self, http: httpx2.AsyncClient, piece: _Piece) -> bytes:
        text = piece.b64_json or ""
        if piece.url and piece.url.startswith("data:"):
            text = piece.url
        elif not text and piece.url:
            url = self._own(piece.url)
            return await retried(lambda: self._fetch(http, url), self._backoff)
        if text.startswith("data:"):
            text = text.partition(",")[2]
        try:
            return base64.b64decode(text)
        except (binascii.Error, ValueError) as error:
            raise EngineRefused(
                "The image service sent something that is not a picture, so it was not taken."
            ) from error

    def _own(self, url: str) -> str:
        """`url` if it lies on the endpoint's own server; we go nowhere else. Raises EngineRefused."""
        try:
            whole = urljoin(self._base_url, url)
            if _origin(whole) == _origin(self._base_url):
                return whole
        except ValueError:  # no address at all
            pass
        raise EngineRefused(
            "The image service answered with an address on another server, from which we fetch nothing."
            " Please tell the operator."
        )

    async def _fetch(self, http: httpx2.AsyncClient, url: str) -> bytes:
        headers = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        try:
            response = await http.get(url, headers=headers)
        except httpx2.RequestError as error:
            raise Passing(refusals.CUT_SHORT) from error
        if response.status_code == 429 or response.status_code >= 500:
            raise Passing(refusals.BROKEN)
        if response.status_code != 200:
            raise EngineRefused(
                "The image service made a picture but does not hand it out. Please tell the operator."
            )
        return response.content

    def _notes(self, asked: Asked, piece: _Piece, usage: dict[str, Any] | None, tries: int) -> dict[str, Any]:
        notes: dict[str, Any] = {
            "engine": self.name,
            "host": urlsplit(self._base_url).hostname,
            "model": self._model,
            "size": asked.arguments["size"],
            "quality": asked.arguments["quality"],
            "tries": tries,
            "seed_used": False,
        }
        if piece.revised_prompt:
            notes["revised_prompt"] = piece.revised_prompt
        if usage:
            notes["usage"] = usage
        return notes


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
