"""Pictures from any endpoint that speaks the OpenAI Images API, through the official SDK.

Without photographs `images/generations` is called, with them `images/edits`. Partial pictures
drive the progress where the endpoint can stream; one that cannot is called again without, and
optional parameters that it refuses by name are left out; both are remembered for the endpoint.
Source: the installed SDK (openai 3.52) and the public API reference.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
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
from vetrina.clients.engines.download import Network, download
from vetrina.clients.engines.http import MEGABYTE, MonotonicProgress, client, require_image
from vetrina.clients.engines.openai import errors
from vetrina.clients.engines.openai.model_families import family_of
from vetrina.clients.engines.openai.request import OPTIONAL, ImageCall, build_call
from vetrina.clients.engines.openai.styles import STYLES
from vetrina.clients.engines.retry import Backoff, Passing, retried

__all__ = ["DEFAULT_MODEL", "STYLES", "OpenAIImages"]

DEFAULT_MODEL = "gpt-image-2.5-sunburst"
"""The model for exact edits; the one to use since `gpt-image-1` was shut down in 2026."""

SERVICE = "The image service"
_PARTIALS = 2
_DOWNLOAD_SECONDS = 30.0


class _Image(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Response(msgspec.Struct):
    data: list[_Image] | None = None
    usage: dict[str, Any] | None = None


class OpenAIImages:
    """An engine behind `base_url` (such as `https://host/v1`).

    `api_key` None sends no Authorization, for endpoints that want none. `whole_timeout` (seconds)
    holds for all attempts together. Every attempt at one picture carries the same Idempotency-Key.
    A picture that the endpoint leaves at an address elsewhere is fetched from public addresses, and
    from `download_networks`.
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
        download_networks: Sequence[Network] = (),
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
        self._stream = stream and family_of(model).streaming
        self._backoff = backoff or Backoff()
        self._download_networks = download_networks
        self._refused: set[tuple[str, object]] = set()
        """Parameters that the endpoint refused, each with the refused value, or with None for every value."""

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        """Make one picture. Raises EngineRefused or EngineUnavailable, both with words for the user."""
        report = MonotonicProgress(progress)
        call = build_call(request, self._model)
        attempts = 0

        async def attempt() -> tuple[_Image, dict[str, Any] | None]:
            nonlocal attempts, call
            attempts += 1
            call = self._accepted(call)
            image, usage, call = await self._attempt(sdk, call, report)
            return image, usage

        async def before_pause(why: str, seconds: float) -> None:
            await report(0.0, f"{why} Trying again in {max(1, round(seconds))} s")

        try:
            async with asyncio.timeout(self._whole), self._client() as http:
                sdk = openai.AsyncOpenAI(base_url=self._base_url, api_key=self._key or "none", max_retries=0, http_client=http)
                image, usage = await retried(attempt, self._backoff, before_pause)
                await report(0.9, "Receiving the picture")
                data = await self._bytes(http, image)
        except TimeoutError as error:
            raise EngineUnavailable(f"The image service did not finish within {self._whole:g} seconds.") from error
        header = require_image(data, SERVICE)
        await report(1.0, "Done")
        return EngineResult(images=[data], mime=header.mime, notes=self._notes(call, image, usage, attempts))

    def _client(self) -> httpx2.AsyncClient:
        timeout = httpx2.Timeout(self._whole, connect=self._connect)
        return client(service=SERVICE, limit=self._largest, timeout=timeout)

    def _accepted(self, call: ImageCall) -> ImageCall:
        """Return the call without what the endpoint is known to refuse."""
        values = {(name, None) for name in OPTIONAL} | {(name, call.arguments.get(name)) for name in OPTIONAL}
        return call.without({name for name, _ in values & self._refused})

    async def _attempt(
        self, sdk: openai.AsyncOpenAI, call: ImageCall, report: MonotonicProgress
    ) -> tuple[_Image, dict[str, Any] | None, ImageCall]:
        """Return the image, the usage and the call that was answered: refused parameters are left out on the way."""
        await report(0.02, "Sending the photographs" if call.edit else "Sending the words")
        stream = self._stream
        try:
            response = await (self._streamed if stream else self._unstreamed)(sdk, call, report)
        except openai.APIError as error:
            if stream and errors.refuses_streaming(error):
                self._stream = False
                return await self._attempt(sdk, call, report)
            if refused := errors.refused_parameter(error, self._optional(call)):
                self._refused.add((refused, call.arguments[refused] if errors.concerns_value(error) else None))
                return await self._attempt(sdk, self._accepted(call), report)
            raise errors.to_engine_error(error, model=self._model, key=self._key) from error
        except httpx2.RequestError as error:  # while reading what the SDK left to us
            raise Passing(errors.CUT_SHORT) from error
        except (msgspec.DecodeError, ValueError) as error:
            # Not retried here: the picture may have been made, and paid for.
            raise EngineUnavailable(errors.UNREADABLE) from error
        images = [image for image in response.data or [] if image.b64_json or image.url]
        if not images:
            raise EngineRefused("The image service answered without a picture. Its safety rules may have removed it.")
        return images[0], response.usage, call

    def _optional(self, call: ImageCall) -> dict[str, Any]:
        return {name: call.arguments[name] for name in OPTIONAL if name in call.arguments}

    async def _unstreamed(self, sdk: openai.AsyncOpenAI, call: ImageCall, report: MonotonicProgress) -> _Response:
        await report(0.1, "Waiting for the picture")
        images = sdk.images.with_raw_response
        response = await self._send(images.edit if call.edit else images.generate, call)
        return msgspec.json.decode(response.content, type=_Response)

    async def _streamed(self, sdk: openai.AsyncOpenAI, call: ImageCall, report: MonotonicProgress) -> _Response:
        await report(0.1, "Waiting for the picture")
        method = sdk.images.edit if call.edit else sdk.images.generate
        async with await self._send(method, call, stream=True, partial_images=_PARTIALS) as stream:
            content_type = stream.response.headers.get("content-type", "")
            if not content_type.startswith("text/event-stream"):  # the endpoint ignored `stream`
                return msgspec.json.decode(await stream.response.aread(), type=_Response)
            async for event in stream:
                event_type = str(getattr(event, "type", ""))
                if event_type.endswith(".partial_image"):
                    number = int(getattr(event, "partial_image_index", 0)) + 1
                    await report(0.1 + 0.75 * number / (_PARTIALS + 1), f"The picture takes shape ({number})")
                elif event_type.endswith(".completed"):
                    usage = getattr(event, "usage", None)
                    return _Response(
                        [_Image(b64_json=getattr(event, "b64_json", None), url=getattr(event, "url", None))],
                        usage.to_dict() if isinstance(usage, openai.BaseModel) else None,
                    )
        raise Passing(errors.CUT_SHORT)

    async def _send(self, method: Any, call: ImageCall, **more: Any) -> Any:
        headers: dict[str, Any] = {"Idempotency-Key": call.key}
        if self._key is None:
            headers["Authorization"] = openai.Omit()
        return await cast(Callable[..., Awaitable[Any]], method)(**call.arguments, **more, extra_headers=headers)

    async def _bytes(self, http: httpx2.AsyncClient, image: _Image) -> bytes:
        text = image.b64_json or ""
        if image.url and image.url.startswith("data:"):
            text = image.url
        elif not text and image.url:
            url = image.url
            return await retried(lambda: self._fetch(http, url), self._backoff)
        if text.startswith("data:"):
            text = text.partition(",")[2]
        try:
            return base64.b64decode(text)
        except (binascii.Error, ValueError) as error:
            raise EngineRefused("The image service sent something that is not a picture, so it was not taken.") from error

    async def _fetch(self, http: httpx2.AsyncClient, url: str) -> bytes:
        """Return the picture at `url`: with the key on the endpoint's own server, else without and guarded."""
        try:
            target = urljoin(self._base_url, url)
            own_server = _origin(target) == _origin(self._base_url)
        except ValueError as error:  # not an address at all
            raise EngineRefused(
                "The image service answered with an address on another server that cannot be read. Please tell the operator."
            ) from error
        if not own_server:
            return await download(
                target,
                service=SERVICE,
                limit=self._largest,
                seconds=_DOWNLOAD_SECONDS,
                allowed=self._download_networks,
            )
        headers = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        try:
            response = await http.get(target, headers=headers)
        except httpx2.RequestError as error:
            raise Passing(errors.CUT_SHORT) from error
        if response.status_code == 429 or response.status_code >= 500:
            raise Passing(errors.BROKEN)
        if response.status_code != 200:
            raise EngineRefused("The image service made a picture but does not hand it out. Please tell the operator.")
        return response.content

    def _notes(self, call: ImageCall, image: _Image, usage: dict[str, Any] | None, attempts: int) -> dict[str, Any]:
        notes: dict[str, Any] = {
            "engine": self.name,
            "host": urlsplit(self._base_url).hostname,
            "model": self._model,
            **{name: call.arguments[name] for name in ("size", "quality") if name in call.arguments},
            "tries": attempts,
            "seed_used": False,
        }
        if self._refused:
            notes["left_out"] = sorted({name for name, _ in self._refused})
        if image.revised_prompt:
            notes["revised_prompt"] = image.revised_prompt
        if usage:
            notes["usage"] = usage
        return notes


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
