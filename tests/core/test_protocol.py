"""Connection limits: sizes before the application is called, and timeouts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn

from tests.prompt import PromptServer
from vetrina.core.web.http.protocol import Limits, protocol

QUICK = Limits(head_seconds=0.3, body_seconds=0.3, write_seconds=0.3, linger_seconds=0.2, connections=0)
GET = b"GET / HTTP/1.1\r\nHost: here\r\n"


class Echo:
    """An application that answers with the body's length and records its calls."""

    def __init__(self) -> None:
        self.requests = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.disconnected = 0
        self.wait = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        size, more = 0, scope["path"] != "/unread"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected += 1
                return
            size += len(message["body"])
            more = message["more_body"]
        self.headers = scope["headers"]
        await asyncio.sleep(self.wait)
        text = b"x" * 8_000_000 if scope["path"] == "/large" else str(size).encode()
        head = [(b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": text, "more_body": False})


class Place:
    """A server on loopback and connections to it."""

    def __init__(self, port: int, app: Echo, server: PromptServer) -> None:
        self.port, self.app, self.server = port, app, server

    @contextlib.asynccontextmanager
    async def connect(self, *, buffer: int = 0) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Yield one connection."""
        plain = socket.create_connection(("127.0.0.1", self.port))
        if buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        reader, writer = await asyncio.open_connection(sock=plain, limit=buffer or 65536)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def open_connections(self) -> int:
        """Return the number of the server's open connections."""
        return len(self.server.server_state.connections)

    async def ask(self, data: bytes) -> bytes:
        """Return everything the server sends in response to `data` until it closes."""
        async with self.connect() as (reader, writer):
            writer.write(data)
            return await everything(reader)


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Read until the end; a reset counts as the end."""
    parts: list[bytes] = []
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            while part := await reader.read(65536):
                parts.append(part)
    return b"".join(parts)


@contextlib.asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[Place]:
    """Yield a server with these limits."""
    app = Echo()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=protocol(limits), ws="none", lifespan="off", log_level="critical", access_log=False)
    server = PromptServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.001)
    yield Place(listener.getsockname()[1], app, server)
    server.stop()
    await task


def status_of(answer: bytes) -> int:
    """Return the status of the first response; 0 if the connection was closed without one."""
    return int(answer[9:12]) if answer else 0


def lines(count: int, size: int) -> Iterator[bytes]:
    """Yield headers of `size` bytes each."""
    for number in range(count):
        name = b"x-%d: " % number
        yield name + b"a" * (size - len(name) - 2) + b"\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\nHost: here\r\n\r\n", 200),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: here\r\n\r\n", 414),
        (b"GET /?" + b"a" * 2_000_000, 414),
        (GET + b"Cookie: " + b"a" * 8000 + b"\r\n\r\n", 200),
        (GET + b"Cookie: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (GET + b"Cookie: " + b"a=b; " * 400_000, 431),
        (GET + b"x" * 2_000_000, 431),
        (GET + b"".join(lines(4, 7900)) + b"\r\n", 200),
        (GET + b"".join(lines(5, 7900)) + b"\r\n", 431),
        (GET + b"".join(lines(99, 50)) + b"\r\n", 200),
        (GET + b"".join(lines(100, 50)) + b"\r\n", 431),
        (b"\r\n" * 1_000_000, 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"e" * 2_000_000, 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: " + b"t" * 2_000_000, 400),
    ],
)
async def test_oversized_heads_are_refused_at_once(request_bytes: bytes, status: int) -> None:
    """9.B6: request line, single header, all headers, their number, and what surrounds chunks; half a second of a processor."""
    ending = request_bytes.replace(b"Host: here\r\n", b"Connection: close\r\n")
    async with serving(Limits(head_seconds=120, body_seconds=120)) as place:
        started, used = time.monotonic(), time.process_time()
        assert status_of(await place.ask(ending)) == status
        assert time.process_time() - used < 0.5
        assert time.monotonic() - started < 60  # and not by a time limit, which is 120 s
        assert place.app.requests == (status in {200, 400})


async def test_limits_hold_for_every_request_of_a_connection() -> None:
    """9.B6: two good requests do not add up; the third, too large, is refused."""
    good = GET + b"".join(lines(3, 7900)) + b"\r\n"
    async with serving(Limits()) as place, place.connect() as (reader, writer):
        for _ in range(3):
            writer.write(good)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readexactly(1)
        writer.write(GET + b"".join(lines(5, 7900)) + b"\r\n")
        assert status_of(await everything(reader)) == 431


async def test_trailers_are_not_taken_for_headers() -> None:
    """9.B6: a field after a chunked body does not reach the application."""
    text = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"
    async with serving(Limits()) as place:
        assert (await place.ask(text)).endswith(b"3")
        assert b"x-late" not in dict(place.app.headers)


async def test_slow_heads_end() -> None:
    """9.B8: half a head gets 408, a connection without a word is closed, both after the limit and not after their last byte."""
    async with serving(QUICK) as place:
        started = time.monotonic()
        async with place.connect() as (reader, writer):
            answer = asyncio.create_task(everything(reader))
            letters = iter(GET + b"X-Slow: " + b"a" * 500)  # 27 s of them
            while not answer.done():
                writer.write(bytes([next(letters)]))
                await asyncio.sleep(0.05)
            assert status_of(await answer) == 408
        assert time.monotonic() - started >= 0.3
        assert await place.ask(b"") == b""
        async with place.connect() as (reader, writer):  # half of a second request, sent together with the first
            writer.write(GET + b"\r\n" + GET)
            text = await everything(reader)
            assert text.count(b"HTTP/1.1 200") == 1
            assert text.count(b"HTTP/1.1 408") == 1


async def test_stalled_bodies_end() -> None:
    """9.B8: a body that stops, or drips, gets 408 and its request ends; one that goes on is taken."""
    head = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 6000\r\n\r\n"
    async with serving(QUICK) as place:
        assert status_of(await place.ask(head + b"a")) == 408
        assert place.app.disconnected == 1
        async with place.connect() as (reader, writer):
            answer = asyncio.create_task(everything(reader))
            while not answer.done():
                writer.write(head)
                head = b"a"  # what follows the head
                await asyncio.sleep(0.05)
            assert status_of(await answer) == 408
        async with place.connect() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 6000\r\n\r\n")
            for _ in range(6):
                await asyncio.sleep(0.1)
                writer.write(b"a" * 1000)
            assert (await everything(reader)).endswith(b"6000")


async def test_a_slow_application_is_not_its_client_s_fault() -> None:
    """9.B8: the limits count what a client sends, not how long an answer takes."""
    async with serving(QUICK) as place:
        place.app.wait = 0.8
        assert (await place.ask(b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")).endswith(b"3")


async def test_client_that_reads_nothing_is_disconnected() -> None:
    """9.B8: a response that nothing is taken of ends with its connection."""
    async with serving(QUICK) as place, place.connect(buffer=4096) as (_, writer):
        writer.write(b"GET /large HTTP/1.1\r\n\r\n")
        while not place.app.requests:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(30):  # nothing else ends it
            while place.open_connections():
                await asyncio.sleep(0.02)


async def test_unread_body_ends_soon_after_the_response() -> None:
    """9.B8: the answer stands; the rest of the body is read for a moment, then the connection ends."""
    async with serving(replace(QUICK, body_seconds=120)) as place, place.connect() as (reader, writer):
        writer.write(b"POST /unread HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nabc")
        started = time.monotonic()
        assert status_of(await everything(reader)) == 200
        assert time.monotonic() - started < 60  # and not by the limit of bodies, which is 120 s


async def test_keep_alive_stays_after_a_body_that_came_late() -> None:
    """9.B8: the rest of an unread body, sent in time, leaves the connection usable."""
    async with serving(QUICK) as place, place.connect() as (reader, writer):
        writer.write(b"POST /unread HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        await reader.readexactly(1)
        writer.write(b"def" + GET + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_connections_of_one_address_are_limited() -> None:
    """9.B8: one more than allowed is refused; one that ends makes room."""
    async with serving(Limits(connections=3, uncounted=())) as place:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                _, writer = await stack.enter_async_context(place.connect())
                writer.write(GET)
            assert status_of(await place.ask(GET)) == 429
        for _ in range(100):
            if not place.open_connections():
                break
            await asyncio.sleep(0.01)
        assert status_of(await place.ask(GET + b"Connection: close\r\n\r\n")) == 200
        assert Limits().uncounted == ("127.0.0.0/8", "::1")


async def test_a_body_in_one_packet_with_its_head_arrives_once() -> None:
    """9.B6: a request larger than what the parser gets at once is parsed from its start to its end, not twice."""
    head = GET + b"".join(lines(3, 7000)) + b"Connection: close\r\nContent-Length: 100000\r\n\r\n"
    async with serving(Limits()) as place:
        assert (await place.ask(head.replace(b"GET", b"PUT") + b"a" * 100_000)).endswith(b"100000")
