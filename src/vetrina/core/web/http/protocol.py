"""HTTP/1.1 connections with limits that are enforced while a request arrives.

uvicorn's httptools protocol limits neither the request line nor the headers (its `h11_max_incomplete_event_size` is for h11
only) and waits without end for the rest of a request. Both are enforced here, before the application sees the request.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_PIECE = 16 * 1024
"""Bytes given to the parser at once while headers arrive, so that an exceeded limit is noticed soon."""
_REASONS = {
    400: "The request cannot be read.",
    408: "The request did not arrive in time.",
    414: "The request line is too long.",
    429: "Too many connections from one address.",
    431: "The headers are too large.",
}


@dataclass(frozen=True)
class Limits:
    """Limits of one connection, in bytes and seconds."""

    url: int = 8 * 1024
    header: int = 8 * 1024
    """Name and value of one header, cookies included."""
    headers: int = 32 * 1024
    fields: int = 100
    head_seconds: float = 10
    """From the first byte of a request (for the first request: from the connection's start) to the end of its headers."""
    body_seconds: float = 30
    """In each such span at least `body_step` bytes of the body arrive, or its end."""
    body_step: int = 1024
    write_seconds: float = 30
    """Seconds that a client may read nothing of a pending response."""
    linger_seconds: float = 5
    """Seconds that the rest of a body is still read after the response was sent."""
    connections: int = 256
    """Open connections of one address (of one /64 of IPv6) per process; 0 for unlimited."""
    uncounted: tuple[str, ...] = ("127.0.0.0/8", "::1")
    """Addresses and networks whose connections are not counted, such as a proxy's; "*" for all."""


class _Refused(Exception):
    """Raised in a parser callback to end the parsing."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with `limits`."""

    limits: ClassVar[Limits] = Limits()
    open: ClassVar[Counter[str]] = Counter()
    """Connections by address in this process."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._address = ""
        self._status = 400
        self._in_head = True
        self._in_body = False
        self._begun = False
        self._idle_bytes = 0
        """Bytes since a head was complete or a piece of a body arrived: what the parser may buffer."""
        self._head_bytes = self._fields = self._body_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection and wait for a request."""
        super().connection_made(transport)
        self._address = _counted(self.client[0] if self.client else "", self.limits.uncounted)
        if self._address:
            self.open[self._address] += 1
            if 0 < self.limits.connections < self.open[self._address]:
                self._refuse(429)
                return
        self._wait(self.limits.head_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the connection's count and timers."""
        self._stop_waiting()
        self._stop_write_timer()
        if self._address:
            self.open[self._address] -= 1
            if self.open[self._address] <= 0:
                del self.open[self._address]
            self._address = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received data. A request that exceeds a limit is answered with its status, and the connection is closed."""
        if self._in_head and self._timer is None:
            self._wait(self.limits.head_seconds, self._head_is_late)
        start = 0
        while start < len(data):
            end = start + _PIECE if self._in_head else len(data)
            piece = data if end >= len(data) and not start else data[start:end]
            start = end
            self._idle_bytes += len(piece)
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._idle_bytes > self.limits.headers + self.limits.url + _PIECE:
                self._refuse(431 if self._in_head else 400)
                return
        if self._timer is None and self._in_body:
            self._await_body()
        elif self._timer is None and self._begun:  # part of the next request arrived with the end of this one
            self._wait(self.limits.head_seconds, self._head_is_late)

    # Parser callbacks

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        self._begun = self._in_head = True
        self._head_bytes = self._fields = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Process a piece of the request line."""
        if len(self.url) + len(url) > self.limits.url:
            self._over(414)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Process a header, or a field of a chunked body's trailer: those are counted and not passed on."""
        size = len(name) + len(value) + 4
        self._head_bytes += size
        self._fields += 1
        limits = self.limits
        if size > limits.header or self._head_bytes > limits.headers or self._fields > limits.fields:
            self._over(431)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request to the application: its headers are complete."""
        self._stop_waiting()
        self._in_head, self._in_body = False, True
        self._idle_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Process a piece of the body."""
        self._idle_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Finish the request."""
        self._stop_waiting()
        self._begun, self._in_head, self._in_body = False, True, False
        self._idle_bytes = 0
        super().on_message_complete()
        if self._cycle is not None and self._cycle.response_complete and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_response_complete(self) -> None:
        """Read the rest of the request's body for a short time only: the response was sent."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._watch_writing()
        if self._in_body and self.cycle.response_complete and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._stop_waiting()
            self._wait(self.limits.linger_seconds, self._end)

    def send_400_response(self, msg: str) -> None:
        """Answer an invalid request with its status, unless a response is already being sent."""
        self._refuse(self._status)

    # A client that reads nothing

    def pause_writing(self) -> None:
        """Start the write timeout: the transport's buffer is full."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """Stop the write timeout: the client read from the buffer."""
        self._stop_write_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection."""
        self._end()

    # Rejections and timeouts

    @property
    def _cycle(self) -> RequestResponseCycle | None:
        """Return the latest request; uvicorn's annotation leaves out that there may be none yet."""
        return self.cycle

    def _over(self, status: int) -> None:
        self._status = status
        raise _Refused

    def _refuse(self, status: int) -> None:
        self._stop_waiting()
        cycle = self._cycle if self._cycle is None or not self._cycle.response_complete else None
        # A status in the middle of another response would be read as part of it.
        if not self.transport.is_closing() and not self.pipeline and (cycle is None or not cycle.response_started):
            self.transport.write(_answer(status))
        if cycle is not None:  # further output of the application is dropped
            cycle.disconnected = True
            cycle.message_event.set()
        self._end()

    def _end(self) -> None:
        """Close the connection, and abort it if its client does not read what remains."""
        if not self.transport.is_closing():
            self.transport.close()
            self._stop_write_timer()
            self._write_timer = self.loop.call_later(self.limits.linger_seconds, self.transport.abort)

    def _wait(self, seconds: float, late: Any, *arguments: Any) -> None:
        self._timer = self.loop.call_later(seconds, late, *arguments)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        self._timer = None
        if self.flow.read_paused:  # earlier requests are still being answered
            self._wait(self.limits.head_seconds, self._head_is_late)
        elif self._begun:
            self._refuse(408)
        else:  # a connection without any request
            self._end()

    def _await_body(self) -> None:
        """Wait for more of the body, or check again later while the application itself is not reading."""
        self._wait(self.limits.body_seconds, self._body_is_due, self._body_bytes)

    def _body_is_due(self, before: int) -> None:
        self._timer = None
        ours = self.flow.read_paused or self.cycle.waiting_for_100_continue
        if ours or self._body_bytes - before >= self.limits.body_step:
            self._await_body()
        else:
            self._refuse(408)

    def _watch_writing(self) -> None:
        self._stop_write_timer()
        waiting = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(self.limits.write_seconds, self._writing_is_due, waiting)

    def _writing_is_due(self, before: int) -> None:
        self._write_timer = None
        waiting = self.transport.get_write_buffer_size()
        if waiting >= before:
            self.transport.abort()
        elif waiting:
            self._watch_writing()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def protocol(limits: Limits) -> type[Protocol]:
    """Return a protocol class with these limits and its own connection counts."""
    return type("Protocol", (Protocol,), {"limits": limits, "open": Counter()})


def _answer(status: int) -> bytes:
    text = _REASONS[status].encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
    return f"{head}content-length: {len(text)}\r\nconnection: close\r\n\r\n".encode() + text


def _counted(host: str, uncounted: Collection[str]) -> str:
    """Return the key under which connections of `host` are counted; "" if they are not."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a Unix socket
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if "*" in uncounted or any(address in ipaddress.ip_network(network) for network in uncounted):
        return ""
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
