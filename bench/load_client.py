"""A small HTTP load client for machines without wrk: `python -m bench.load_client HOST PORT CONNECTIONS SECONDS FILE`.

Each connection sends its next request when the last one is answered, as wrk does. It costs more processor than
wrk, which on a small machine is taken from the site: the ratios come out lower. Prints what load.lua prints.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path

import uvloop


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self.run = run
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(random.choice(self.run.requests))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self.buffer = b""
        self.run.answered(int(head[9:12]), time.perf_counter() - self.sent)
        if time.perf_counter() < self.run.until:
            self.send()
        else:
            self.run.open -= 1
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            self.run.errors += 1
            self.run.open -= 1


class _Run:
    def __init__(self, requests: list[bytes], connections: int, seconds: float) -> None:
        self.requests = requests
        self.open = connections
        self.until = time.perf_counter() + seconds
        self.statuses: dict[int, int] = {}
        self.times: list[float] = []
        self.errors = 0

    def answered(self, status: int, seconds: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.times.append(seconds)


async def main(host: str, port: int, connections: int, seconds: float, file: str) -> None:
    """Run the load and print a line of JSON."""
    requests: list[bytes] = []
    for line in Path(file).read_bytes().splitlines():
        token, path, body = line.split(b"\t", 2)
        requests.append(
            b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (path, token, len(body), body)
        )
    started = time.perf_counter()
    run = _Run(requests, connections, seconds)
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.create_connection(lambda: _Connection(run), host, port) for _ in range(connections)))
    while run.open:
        await asyncio.sleep(0.01)
    spent = time.perf_counter() - started
    times = sorted(run.times) or [0.0]
    created, refused = run.statuses.pop(201, 0), run.statuses.pop(402, 0)
    figures = {"p50": times[len(times) // 2] * 1e3, "p99": times[len(times) * 99 // 100] * 1e3}
    other = sum(run.statuses.values())
    print(json.dumps({"seconds": spent, "created": created, "refused": refused, "other": other, "errors": run.errors, **figures}))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]))
