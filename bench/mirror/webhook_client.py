"""Sends every request of a file once: `python -m bench.mirror.webhook_client HOST PORT CONNECTIONS FILE`.

The file holds whole HTTP requests, each after its length in four bytes. Prints a line of JSON: seconds, the number of each
status, p50 and p99 in milliseconds. A refused request is not repeated.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

import uvloop


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self.run, self.buffer = run, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        if not self.run.left:
            self.transport.close()
            return
        self.sent = time.perf_counter()
        self.transport.write(self.run.left.pop())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _length(head.lower()):
            return
        self.buffer = b""
        self.run.statuses[int(head[9:12])] += 1
        self.run.times.append(time.perf_counter() - self.sent)
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            self.run.statuses[0] += 1
        self.run.open -= 1


def _length(head: bytes) -> int:
    """Return the length of the body; a chunked one counts as complete at once."""
    return int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


class _Run:
    def __init__(self, requests: list[bytes], connections: int) -> None:
        self.left = requests[::-1]
        self.open = connections
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []


def read(file: Path) -> list[bytes]:
    """Return the requests in a file."""
    raw, result, at = file.read_bytes(), [], 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        result.append(raw[at + 4 : at + 4 + size])
        at += 4 + size
    return result


async def main(host: str, port: int, connections: int, file: str) -> None:
    """Send the requests and print the result."""
    run = _Run(read(Path(file)), connections)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    await asyncio.gather(*(loop.create_connection(lambda: _Connection(run), host, port) for _ in range(connections)))
    while run.open:
        await asyncio.sleep(0.005)
    spent, times = time.perf_counter() - started, sorted(run.times)
    result = {"seconds": spent, "statuses": {str(key): value for key, value in run.statuses.items()}}
    print(json.dumps({**result, "p50": times[len(times) // 2] * 1e3, "p99": times[len(times) * 99 // 100] * 1e3}))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
