"""Webhook delivery with scripted failures: duplicates, delays, reordering, losses, wrong signatures."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import httpx2


@dataclass
class Mischief:
    """Delivery failures.

    `copies` of each event are sent, each after up to `delay` seconds, so that they overtake each other; `drop` is the share
    of lost events; `shuffle` reorders waiting events.
    """

    copies: int = 1
    delay: float = 0.0
    drop: float = 0.0
    shuffle: bool = False
    seed: int = 7


@dataclass
class Endpoint:
    """A webhook endpoint; receives all events unless `types` are named."""

    url: str
    secret: str
    types: list[str] = field(default_factory=list[str])


@dataclass
class Attempt:
    """One delivery: the response's status, 0 without a response, and its duration in seconds."""

    event: str
    status: int
    seconds: float


def signed(body: bytes, secret: str, at: int | None = None) -> str:
    """Return the Stripe-Signature header."""
    at = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac},v0={'0' * 64}"


class Post:
    """Delivers in its own thread, so that the API keeps answering.

    Failed deliveries are retried as Stripe does, only sooner: after 0.2, 0.4, 0.8... seconds, `patience` times.
    """

    def __init__(self, *, patience: int = 6) -> None:
        self.endpoints: list[Endpoint] = []
        self.faults = Mischief()
        self.attempts: list[Attempt] = []
        self.held: list[dict[str, Any]] | None = None
        """Events that wait between `hold` and `let_go`."""
        self._patience = patience
        self._dice = random.Random(self.faults.seed)
        self._loop = asyncio.new_event_loop()
        self._open: set[Future[Any]] = set()
        self._web: httpx2.AsyncClient | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def send(self, event: dict[str, Any]) -> None:
        """Deliver an event to all endpoints."""
        if self.held is not None:
            self.held.append(event)
            return
        if self._dice.random() < self.faults.drop:
            return
        for endpoint in self.endpoints:
            if not endpoint.types or event["type"] in endpoint.types:
                for _ in range(self.faults.copies):
                    self._submit(self._deliver(endpoint, event, self._dice.random() * self.faults.delay))

    def hold(self) -> None:
        """Hold further events."""
        self.held = []

    def let_go(self) -> None:
        """Deliver held events."""
        waiting, self.held = self.held or [], None
        if self.faults.shuffle:
            self._dice.shuffle(waiting)
        for item in waiting:
            self.send(item)

    def settle(self, timeout: float = 30.0) -> None:
        """Wait until everything was delivered or given up."""
        deadline = time.monotonic() + timeout
        while self._open:
            for item in list(self._open):
                item.result(max(0.0, deadline - time.monotonic()))
                self._open.discard(item)

    def close(self) -> None:
        """Stop; undelivered events are lost."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _submit(self, work: Coroutine[Any, Any, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._open.add(future)
        future.add_done_callback(self._open.discard)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    async def _deliver(self, endpoint: Endpoint, event: dict[str, Any], delay: float) -> None:
        if self._web is None:
            self._web = httpx2.AsyncClient(timeout=10, trust_env=False, limits=httpx2.Limits(max_connections=16))
        await asyncio.sleep(delay)
        body = json.dumps(event, indent=2).encode()
        for attempt in range(self._patience):
            began = time.perf_counter()
            headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signed(body, endpoint.secret)}
            try:
                status = (await self._web.post(endpoint.url, content=body, headers=headers)).status_code
            except httpx2.HTTPError:
                status = 0
            self.attempts.append(Attempt(event["id"], status, time.perf_counter() - began))
            if 200 <= status < 300:
                return
            await asyncio.sleep(0.2 * 2**attempt)
