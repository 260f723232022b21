"""What the mirror is measured against: the bare work in one asyncio process, nothing around it.

`python -m bench.mirror.prototype serve FD URI SECRET` takes webhooks: HTTP read by hand, HMAC, group commit of an inbox row and
an upsert by event time. `python -m bench.mirror.prototype fill URI BASE KEY KIND COUNT` reads a list in sixteen spans of creation
time, COPYs the pages and merges them. Tables without generated columns, metadata indexes, tombstones, ties, resumption.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import socket
import sys
import time
from typing import Any

import httpx2
import msgspec
import psycopg
import uvloop

TABLES = """
create schema bare;
create table bare.events (id text primary key, type text not null, at bigint not null, payload jsonb not null);
create table bare.objects (id text primary key, kind text not null, at bigint not null, data jsonb not null);
create unlogged table bare.staged (data jsonb not null);
"""
TAKE = """
with taken as (
  delete from bare.staged returning data as e
), given as (
  select distinct on (e ->> 'id') e ->> 'id' as id, e ->> 'type' as type, (e ->> 'created')::bigint as at, e as payload from taken
), added as (
  insert into bare.events (id, type, at, payload) select id, type, at, payload from given
  on conflict (id) do nothing returning at, payload #> '{data,object}' as data
), newest as (
  select distinct on (data ->> 'id') data ->> 'id' as id, data ->> 'object' as kind, at, data from added
   order by data ->> 'id', at desc
)
insert into bare.objects (id, kind, at, data) select id, kind, at, data from newest
on conflict (id) do update set at = excluded.at, data = excluded.data where excluded.at > objects.at
"""
MERGE = """
with taken as (delete from bare.staged returning data)
insert into bare.objects (id, kind, at, data) select data ->> 'id', data ->> 'object', %s, data from taken order by 1
on conflict (id) do update set at = excluded.at, data = excluded.data where excluded.at >= objects.at
"""
OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{"received":true}'
NO = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"


class Inbox:
    """Commits what gathered while the last batch was on its way."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.connection = connection
        self.waiting: list[tuple[bytes, asyncio.Transport]] = []
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            batch, self.waiting = self.waiting, []
            async with self.connection.transaction():
                async with self.connection.cursor() as cursor, cursor.copy("copy bare.staged (data) from stdin") as copy:
                    for body, _ in batch:
                        await copy.write_row((body.decode(),))
                await self.connection.execute(TAKE, prepare=True)
            for _, transport in batch:
                transport.write(OK)


class Hook(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, inbox: Inbox, secret: bytes) -> None:
        self.inbox, self.secret, self.buffer = inbox, secret, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect the request and handle it once it is complete."""
        self.buffer += data
        head, result, body = self.buffer.partition(b"\r\n\r\n")
        if not result or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self.buffer = b""
        line = head.partition(b"stripe-signature: ")[2].partition(b"\r\n")[0]
        at, _, mac = line.removeprefix(b"t=").partition(b",v1=")
        good = hmac.new(self.secret, at + b"." + body, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(mac, good) or abs(time.time() - int(at)) > 300:
            self.transport.write(NO)  # type: ignore[attr-defined]
            return
        self.inbox.waiting.append((body, self.transport))  # type: ignore[arg-type]
        self.inbox.wake.set()


async def serve(fd: int, uri: str, secret: str) -> None:
    """Until killed."""
    connection = await psycopg.AsyncConnection.connect(uri, autocommit=True)
    inbox = Inbox(connection)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Hook(inbox, secret.encode()), sock=socket.socket(fileno=fd))
    await inbox.run()


class Listed(msgspec.Struct):
    """A page."""

    data: list[msgspec.Raw]
    has_more: bool


class Named(msgspec.Struct):
    """An object's id."""

    id: str


async def fill(uri: str, base: str, key: str, kind: str, cuts: list[int]) -> None:
    """Read a list in the spans between `cuts` at once; prints the seconds that it took."""
    started = time.perf_counter()
    pages: asyncio.Queue[list[msgspec.Raw] | None] = asyncio.Queue(64)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=base, headers=headers, timeout=60, trust_env=False) as client:

        async def read(since: int, until: int) -> None:
            after: dict[str, str] = {}
            more = True
            while more:
                query = {"limit": "100", "status": "all", "created[gte]": str(since), "created[lt]": str(until), **after}
                page = msgspec.json.decode((await client.get(f"/v1/{kind}", params=query)).content, type=Listed)
                if page.data:
                    after = {"starting_after": msgspec.json.decode(page.data[-1], type=Named).id}
                    await pages.put(page.data)
                more = page.has_more

        async def write() -> None:
            async with await psycopg.AsyncConnection.connect(uri, autocommit=True) as connection:
                ended = False
                while not ended:
                    batch = [await pages.get()]
                    while len(batch) < 10 and not pages.empty():
                        batch.append(pages.get_nowait())
                    ended = None in batch
                    async with connection.transaction():
                        async with connection.cursor() as cursor, cursor.copy("copy bare.staged (data) from stdin") as copy:
                            for page in batch:
                                for row in page or []:
                                    await copy.write_row((bytes(row).decode(),))
                        await connection.execute(MERGE, (int(time.time()),))

        writer = asyncio.create_task(write())
        await asyncio.gather(*(read(start, end) for start, end in itertools.pairwise(cuts)))
        await pages.put(None)
        await writer
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        uvloop.run(serve(int(sys.argv[2]), sys.argv[3], sys.argv[4]))
    else:
        uvloop.run(fill(*sys.argv[2:6], [int(row) for row in sys.argv[6].split(",")]))  # type: ignore[misc]
