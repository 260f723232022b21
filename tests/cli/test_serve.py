"""`vetrina serve` in a real process: connection limits are enforced."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.dns import free_port


@pytest.fixture
def port(database: str, tmp_path: Path) -> Iterator[int]:
    """Yield the port of a web process behind a proxy of this machine."""
    with serving(database, tmp_path, VETRINA_TRUSTED_PROXIES="127.0.0.1") as number:
        yield number


@contextlib.contextmanager
def serving(database: str, data: Path, **settings: str) -> Iterator[int]:
    """Yield the port of a web process."""
    number = free_port()
    environment = {
        **os.environ,
        "VETRINA_DATABASE_URL": database,
        "VETRINA_DATA": str(data),
        "VETRINA_SECRET_KEY": "s" * 40,
        "VETRINA_PORT": str(number),
        **settings,
    }
    words = [sys.executable, "-m", "vetrina", "serve"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while status(number, b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n") != 200:
                assert time.monotonic() < until
                time.sleep(0.1)
            yield number
        finally:
            process.terminate()
            process.wait(30)


def status(number: int, data: bytes) -> int:
    """Return the status of the response to `data`; 0 for no response."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number), timeout=20) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
        answer = connection.makefile("rb").readline()
        return int(answer[9:12]) if answer else 0
    return 0


def test_a_web_process_keeps_to_its_limits(port: int) -> None:
    """9.B6, 9.B7, 9.B8, 9.F36: sizes are refused at once, half a request after ten seconds."""
    head = b"GET /sign-in HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    assert status(port, head + b"\r\n") == 200
    assert status(port, head + b"X-Forwarded-For: unknown\r\n\r\n") == 200
    for name, data, refused in (
        ("header", head + b"Cookie: " + b"a=b; " * 100_000 + b"\r\n\r\n", 431),
        ("fields", head + b"a: b\r\n" * 1000 + b"\r\n", 431),
        ("line", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 414),
        ("body", b"POST /theme HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 300000\r\n\r\n", 413),
    ):
        started = time.monotonic()
        assert status(port, data) == refused, name
        assert time.monotonic() - started < 2, name
    started = time.monotonic()
    assert status(port, b"GET / HTTP/1.1\r\nHost:") == 408
    assert 9 < time.monotonic() - started < 14


def test_connections_of_a_trusted_proxy_are_not_those_of_one_person(database: str, tmp_path: Path) -> None:
    """9.B8: all clients behind the proxy share its address, so that the cap would refuse them for each other."""
    settings = {"VETRINA_CONNECTIONS_PER_ADDRESS": "2", "VETRINA_TRUSTED_PROXIES": "127.0.0.1"}
    with serving(database, tmp_path, **settings) as number, contextlib.ExitStack() as stack:
        request = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", number), timeout=20)) for _ in range(8)]
        for connection in held:
            connection.sendall(request)
        assert [connection.makefile("rb").readline()[9:12] for connection in held] == [b"200"] * 8
