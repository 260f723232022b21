"""Normal clients beside clients that send too much or too little: `make torture`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.scenarios.process import up

SECONDS = float(os.environ.get("VETRINA_TORTURE_SECONDS", "60"))
HONEST, HOSTILE = 32, 20
HEAD = b"Host: here\r\nContent-Type: application/x-www-form-urlencoded\r\n"
OVERSIZED = (
    b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nCookie: " + b"a=b; " * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nCookie: " + b'a="' + b'\\"' * 4000 + b'"\r\n\r\n',
    b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100_000 + b"\r\n",
    b"POST /theme HTTP/1.1\r\n" + HEAD + b"Content-Length: 30000000\r\n\r\n" + b"a=b&" * 500_000,
    b"POST /sign-in HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"4000\r\n" + b"a" * 16384 + b"\r\n") * 100,
)
UNFINISHED = (
    b"",
    b"GET / HTT",
    b"GET / HTTP/1.1\r\nHost: he",
    b"POST /theme HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\na=",
)


@pytest.mark.torture
async def test_normal_clients_beside_hostile_clients(tmp_path: Path) -> None:
    """9.B6, 9.B7, 9.B8: the p99 of 32 honest clients stays under 250 ms, and none of their requests fails."""
    with up(tmp_path, VETRINA_WEB_PROCESSES="2", VETRINA_WORKER_PROCESSES="1") as running:
        place = urlsplit(running.url)
        until = time.monotonic() + SECONDS
        times: list[float] = []
        async with asyncio.TaskGroup() as group:
            for number in range(HOSTILE):
                group.create_task(hostile(str(place.hostname), int(place.port or 0), until, random.Random(number)))
            for _ in range(HONEST):
                group.create_task(honest(running.url, until, times))
        times.sort()
        assert len(times) > HONEST * SECONDS / 4
        assert times[int(len(times) * 0.99)] < 0.25
        log = running.run("doctor", "--json")
        assert log.returncode == 0, log.stdout


async def honest(url: str, until: float, times: list[float]) -> None:
    """Request a page, pause, and repeat."""
    async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
        while time.monotonic() < until:
            started = time.perf_counter()
            answer = await client.get("/sign-in")
            times.append(time.perf_counter() - started)
            assert answer.status_code == 200
            await asyncio.sleep(0.5)


async def hostile(host: str, port: int, until: float, chance: random.Random) -> None:
    """Send oversized or partial requests and keep the connection open."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                async with asyncio.timeout(35):
                    writer.write(chance.choice(OVERSIZED if chance.random() < 0.5 else UNFINISHED))
                    await writer.drain()
                    answer = await reader.read(65536)
                    assert not answer or int(answer[9:12]) < 500, answer[:100]
            finally:
                writer.close()
        await asyncio.sleep(0.05)
