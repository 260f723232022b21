"""A name server on loopback, over UDP and TCP: answers TXT queries from a table, or fails as scripted."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Mood = str
"""answering, silent, servfail, refused; or truncating (UDP only says that there is more)."""


class DnsFake:
    """`records` holds texts by name, without the trailing dot; other names do not exist.

    `moods` by name (or "" for all) script the answers; `asked` counts the queries of each name.
    """

    def __init__(self) -> None:
        self.forget()
        answer = self._answer

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sock = self.request
                if (result := answer(data, False)) is not None:
                    sock.sendto(result, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                (length,) = struct.unpack("!H", self.request.recv(2))
                if (result := answer(self.request.recv(length), True)) is not None:
                    self.request.sendall(struct.pack("!H", len(result)) + result)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        for attempt in range(20):  # a port that is free for UDP may be in use for TCP
            self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Udp)
            self.port = int(self._udp.server_address[1])
            try:
                self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Tcp)
                break
            except OSError:
                self._udp.server_close()
                if attempt == 19:
                    raise
        self.address = f"127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Reset everything."""
        self.records: dict[str, list[str]] = {}
        self.moods: dict[str, Mood] = {}
        self.asked: Counter[str] = Counter()

    def __enter__(self) -> Self:
        for server in (self._udp, self._tcp):
            server.daemon_threads = True
            serve: Callable[..., None] = server.serve_forever
            threading.Thread(target=serve, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def _answer(self, data: bytes, whole: bool) -> bytes | None:
        query = dns.message.from_wire(data)
        requested = query.question[0]
        name = requested.name.to_text(omit_final_dot=True).lower()
        self.asked[name] += 1
        mood = self.moods.get(name, self.moods.get("", "answering"))
        if mood == "silent":
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if mood in {"servfail", "refused"}:
            response.set_rcode(dns.rcode.from_text(mood.upper()))
        elif mood == "truncating" and not whole:
            response.flags |= dns.flags.TC
        elif name not in self.records:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif requested.rdtype == dns.rdatatype.TXT and self.records[name]:
            texts = [" ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text), 200)) for text in self.records[name]]
            response.answer.append(dns.rrset.from_text(requested.name, 60, "IN", "TXT", *texts))
        return response.to_wire()


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as result:
        result.bind(("127.0.0.1", 0))
        return int(result.getsockname()[1])
