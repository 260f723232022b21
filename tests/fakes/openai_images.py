"""An OpenAI-compatible images endpoint on loopback: `images/generations`, `images/edits`, a file host.

The shapes follow the public API reference and the types of the official SDK (openai 3.52): JSON
in or multipart in, `{"created", "data": [{"b64_json" | "url"}], "usage"}` out, server-sent events
when asked to stream, `{"error": {"message", "type", "param", "code"}}` when refusing. Pictures are
real: an edit puts the photographs side by side under a tint, a generation is a gradient.

    with OpenAIImagesFake() as fake:
        fake.next(busy(after=1), answer())           # the next two calls; then ordinary responses
        engine = OpenAIImages(fake.base_url, "sk-test")
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pyvips
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Stream

from tests.fakes import Fake


class Part(msgspec.Struct, frozen=True):
    """A file of a multipart request."""

    name: str
    filename: str
    mime: str
    data: bytes


class Received(msgspec.Struct, frozen=True):
    """A received call."""

    path: str
    headers: dict[str, str]
    fields: dict[str, Any]
    parts: list[Part]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The response to one call. The defaults respond as the real service does."""

    status: int = 200
    error: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    seconds: float = 0.0  # of silence before the answer
    body: bytes | None = None  # sent as it is
    mime: str = "application/json"
    drop: bool = False  # break the connection within the body
    url: str | None = None  # answer with this address; {files} stands for our own file host
    partials: int | None = None  # how many partial pictures to stream, instead of those asked for
    stream_error: dict[str, Any] | None = None  # as the stream's last event
    refuse_streaming: bool = False
    unknown: dict[str, Reply] = {}  # parameters that are refused when they are sent, each with its refusal
    ignore_streaming: bool = False
    picture: bytes | None = None  # instead of the one that we would make


def answer(**changes: Any) -> Reply:
    """Return an ordinary response, with changes."""
    return Reply(**changes)


def refusal(status: int, code: str | None, message: str, kind: str = "invalid_request_error", **more: Any) -> Reply:
    """Return an error in the API's shape."""
    error = {"message": message, "type": kind, "param": more.pop("param", None), "code": code}
    return Reply(status=status, error=error, **more)


def busy(after: float | str | None = None) -> Reply:
    """Return 429 with Retry-After."""
    headers = {} if after is None else {"Retry-After": str(after)}
    return refusal(429, "rate_limit_exceeded", "Rate limit reached", "requests", headers=headers)


def broken(status: int = 500) -> Reply:
    """Return an internal error."""
    return refusal(status, None, "The server had an error while processing your request.", "server_error")


def moderated(violations: str = "violence") -> Reply:
    """Return a refusal by the safety system."""
    message = (
        "Your request was rejected by the safety system. If you believe this is an error, contact us"
        f" and include the request ID req_1. safety_violations=[{violations}]."
    )
    return refusal(400, "moderation_blocked", message, "image_generation_user_error")


def out_of_credit() -> Reply:
    """Return 429 with `insufficient_quota`, for which a retry does not help."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return refusal(429, "insufficient_quota", message, "insufficient_quota")


def bad_key(key: str) -> Reply:
    """Return 401; the real message repeats part of the key, this one all of it."""
    return refusal(401, "invalid_api_key", f"Incorrect API key provided: {key}.")


class OpenAIImagesFake(Fake):
    """The endpoint. `base_url` is for the client, `received` holds the calls, `next` scripts responses."""

    def __init__(self) -> None:
        self.reset()
        super().__init__()

    def reset(self) -> None:
        """Reset everything received and scripted."""
        self.received: list[Received] = []
        self.fetched: list[dict[str, str]] = []  # the headers of each call for a file
        self.gone = 0  # clients that disconnected before their response was ready
        self.last_picture = b""
        self.file_replies: deque[Reply] = deque()
        self._replies: deque[Reply] = deque()
        self._always = Reply()
        self._files: dict[str, bytes] = {}

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        return f"{self.url}/v1"

    def next(self, *replies: Reply) -> None:
        """Script the next responses, one per call; afterwards the ordinary one again."""
        self._replies.extend(replies)

    def always(self, reply: Reply) -> None:
        """Change the ordinary response."""
        self._always = reply

    def handlers(self) -> list[Any]:
        """Return the routes of the two calls, and of the files behind `url` responses."""

        @post("/v1/images/{call:str}", status_code=200)
        async def images(request: Request[Any, Any, Any], call: FromPath[str]) -> Response[Any] | Stream:
            received = await _read(request, call)
            self.received.append(received)
            reply = self._replies.popleft() if self._replies else self._always
            if reply.seconds and not await _wait_for_client(request, reply.seconds):
                self.gone += 1
            return self._reply(received, reply)

        @get("/files/{name:str}")
        async def files(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Any]:
            self.fetched.append(dict(request.headers))
            if self.file_replies:
                reply = self.file_replies.popleft()
                return Response(reply.body or b"", status_code=reply.status, headers=reply.headers)
            return Response(self._files[name], media_type="image/png")

        return [images, files]

    def _refuse(self, reply: Reply) -> Response[Any]:
        """Return the reply's own body, or its error in the API's shape."""
        if reply.body is not None:
            return Response(reply.body, status_code=reply.status, headers=reply.headers, media_type=reply.mime)
        headers = {"x-request-id": "req_1", **reply.headers}
        return Response({"error": reply.error}, status_code=reply.status, headers=headers)

    def _reply(self, received: Received, reply: Reply) -> Response[Any] | Stream:
        if reply.drop:
            return Stream(_broken_off(b'{"created": 1, "data": [{"b64_json": "iVBORw0'), media_type=reply.mime)
        streaming = str(received.fields.get("stream", "")).lower() == "true"
        if reply.refuse_streaming and streaming:
            reply = refusal(400, "unknown_parameter", "Unknown parameter: 'stream'.", param="stream")
        for name in reply.unknown.keys() & received.fields.keys():
            reply = reply.unknown[name]
            break
        if reply.error is not None or reply.body is not None:
            return self._refuse(reply)
        picture = reply.picture if reply.picture is not None else _paint(received)
        self.last_picture = picture
        if reply.url is not None:
            self._files["1.png"] = picture
            url = reply.url.format(files=f"{self.url}/files/1.png")
            return Response({"created": 1_790_000_000, "data": [{"url": url, "revised_prompt": "as asked"}]})
        if streaming and not reply.ignore_streaming:
            return Stream(_events(received, reply, picture), media_type="text/event-stream")
        data = {"b64_json": base64.b64encode(picture).decode()}
        return Response({"created": 1_790_000_000, "data": [data], **_about(received), "usage": _USAGE})


_USAGE = {
    "total_tokens": 4522,
    "input_tokens": 362,
    "output_tokens": 4160,
    "input_tokens_details": {"text_tokens": 39, "image_tokens": 323},
}


def _about(received: Received) -> dict[str, Any]:
    return {
        "background": received.fields.get("background", "opaque"),
        "output_format": received.fields.get("output_format", "png"),
        "quality": received.fields.get("quality", "auto"),
        "size": received.fields.get("size", "1024x1024"),
    }


async def _read(request: Request[Any, Any, Any], call: str) -> Received:
    headers = dict(request.headers)
    if call == "generations":
        return Received(call, headers, json.loads(await request.body()), [])
    fields: dict[str, Any] = {}
    parts: list[Part] = []
    for name, value in (await request.form()).multi_items():
        if isinstance(value, UploadFile):
            parts.append(Part(name, value.filename, value.content_type, await value.read()))
        else:
            fields[name] = value
    return Received(call, headers, fields, parts)


async def _wait_for_client(request: Request[Any, Any, Any], seconds: float) -> bool:
    """Wait; return False as soon as the client has disconnected."""

    async def disconnected() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    done, _ = await asyncio.wait([asyncio.create_task(disconnected())], timeout=seconds)
    return not done


async def _broken_off(start: bytes) -> AsyncIterator[bytes]:
    yield start
    await asyncio.sleep(0.01)
    raise ConnectionResetError("scripted")  # uvicorn then closes without the last chunk


async def _events(received: Received, reply: Reply, picture: bytes) -> AsyncIterator[bytes]:
    family = "image_edit" if received.path == "edits" else "image_generation"
    requested = int(received.fields.get("partial_images", 0))
    common = {**_about(received), "created_at": 1_790_000_000}
    for index in range(requested if reply.partials is None else reply.partials):
        rough = {"b64_json": base64.b64encode(picture[:64]).decode(), "partial_image_index": index}
        yield _event(f"{family}.partial_image", {**common, **rough})
        await asyncio.sleep(0.005)
    if reply.stream_error is not None:
        yield _event("error", {"error": reply.stream_error})
        return
    done = {"b64_json": base64.b64encode(picture).decode(), "usage": _USAGE}
    yield _event(f"{family}.completed", {**common, **done})


def _event(kind: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def _paint(received: Received) -> bytes:
    """Return a picture of the requested size: the photographs side by side under a tint, or a gradient."""
    width, height = (int(side) for side in str(received.fields.get("size", "1024x1024")).split("x"))
    digest = hashlib.sha256(str(received.fields.get("prompt", "")).encode()).digest()
    tint = [digest[0], digest[1], digest[2]]
    if received.parts:
        share = max(1, width // len(received.parts))
        tiles = [_tile(part.data, share, height) for part in received.parts]
        row = pyvips.Image.arrayjoin(tiles, across=len(tiles))
        canvas = row.resize(width / row.width, vscale=height / row.height)
    else:
        ramp = pyvips.Image.xyz(width, height).cast("float")
        red, green = ramp.extract_band(0) * (255 / width), ramp.extract_band(1) * (255 / height)
        canvas = red.bandjoin([green, 255 - red])
    image = (canvas * 0.75 + [0.25 * band for band in tint]).cast("uchar").copy(interpretation="srgb")
    suffix = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}[str(received.fields.get("output_format", "png"))]
    return bytes(image.write_to_buffer(suffix))


def _tile(data: bytes, width: int, height: int) -> pyvips.Image:
    tile = pyvips.Image.thumbnail_buffer(data, width, height=height, size="force").colourspace("srgb")
    return tile.flatten(background=[255]) if tile.hasalpha() else tile
