"""Stripe's lists on loopback: pages by creation time, single objects, their inner lists, events, limits.

The shapes follow Stripe's public API reference ("Pagination", "Expanding", "Errors", "Rate limits"): the newest first, at most
a hundred a page, `starting_after`, `created[gte]`, `created[lt]`; an object's own lists are cut after ten; a deleted customer
is a stub, anything else that is gone is 404 `resource_missing`; who asks too often gets 429 with Retry-After.

    with StripeListsFake() as fake:
        fake.put("customers", sample.customer(1, at))
        fake.remove("customers", "cus_1")
        fake.throttle(3, seconds=1)                 # the next three calls

Also a process of its own: python -m tests.fakes.stripe_lists --customers 50000 --subscriptions 50000 --delay 0.2
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import json
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from litestar import Request, Response, get

from tests.fakes import Fake
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.object_types import KINDS

KEY = "sk_test_fake"
CUT = 10
"""Elements of an object's own list that are included."""


@dataclass
class Shelf:
    """Objects of one kind, newest first, ready to be sent."""

    whole: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[tuple[int, str]] = field(default_factory=list)
    """(minus created, id), sorted."""
    texts: dict[str, bytes] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def put(self, data: dict[str, Any]) -> None:
        """Store an object, replacing the one with its id."""
        self.take(data["id"])
        self.whole[data["id"]] = data
        self.texts[data["id"]] = json.dumps(_cut(data), indent=2).encode()
        bisect.insort(self.order, (-data["created"], data["id"]))

    def take(self, id: str) -> None:
        """Remove an object."""
        if (held := self.whole.pop(id, None)) is not None:
            self.order.remove((-held["created"], id))
            del self.texts[id]

    def fill(self, several: list[dict[str, Any]]) -> None:
        """Store many objects at once."""
        self.whole |= {item["id"]: item for item in several}
        self.texts |= {item["id"]: json.dumps(_cut(item), indent=2).encode() for item in several}
        self.order = sorted((-item["created"], item["id"]) for item in self.whole.values())


class StripeListsFake(Fake):
    """Lists of one account."""

    def __init__(self, port: int = 0, *, delay: float = 0) -> None:
        self.delay = delay
        self.per_second: float | None = None
        """Calls per second beyond which it answers 429."""
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.refused = 0
        self.foreign: set[str] = set()
        """Ids that exist in live mode only."""
        self.at_once = self.most_at_once = 0
        self._shelves = {kind.path.removeprefix("/v1/"): Shelf() for kind in KINDS.values()}
        self._shelves["events"] = Shelf()
        self._throttled: list[float] = []
        self._window: list[float] = []
        self._lock = threading.Lock()
        super().__init__(port)

    def put(self, name: str, *several: dict[str, Any]) -> None:
        """Store objects of this kind, replacing those with the same ids."""
        with self._lock:
            if len(several) > 50:
                self._shelves[name].fill(list(several))
            else:
                for item in several:
                    self._shelves[name].put(item)

    def remove(self, name: str, *ids: str) -> None:
        """Delete objects."""
        with self._lock:
            for item in ids:
                self._shelves[name].take(item)
                self._shelves[name].gone.add(item)

    def throttle(self, times: int, *, seconds: float) -> None:
        """Answer this many calls with 429 and this Retry-After."""
        self._throttled += [seconds] * times

    def handlers(self) -> list[Any]:
        """Return the routes."""

        @get("/v1/{rest:path}")
        async def api(request: Request[Any, Any, Any], rest: str) -> Response[bytes]:
            query = {name: value for name, value in request.query_params.items()}
            path = rest.strip("/")
            self.calls[path.partition("/")[0]] += 1
            self.requests.append((path, query))
            if request.headers.get("authorization") != f"Bearer {KEY}":
                return _error(401, "Invalid API Key provided", "api_key_invalid")
            if (wait := self._too_often()) is not None:
                self.refused += 1
                answer = _error(429, "Too many requests", "rate_limit")
                answer.headers["Retry-After"] = f"{wait:g}"
                return answer
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                with self._lock:
                    answer = self._answer(path, query)  # evaluated when the request arrives
                if self.delay:
                    await asyncio.sleep(self.delay)
            finally:
                self.at_once -= 1
            return answer

        return [api]

    def _too_often(self) -> float | None:
        if self._throttled:
            return self._throttled.pop(0)
        if self.per_second is None:
            return None
        now = time.monotonic()
        self._window = [item for item in self._window if item > now - 1]
        if len(self._window) >= self.per_second:
            return 1.0
        self._window.append(now)
        return None

    def _answer(self, path: str, query: dict[str, str]) -> Response[bytes]:
        name, *more = path.split("/")
        if name == "subscription_items":
            owner = self._shelves["subscriptions"].whole[query["subscription"]]
            return _page([json.dumps(item).encode() for item in owner["items"]["data"]], query, "/v1/subscription_items")
        objects = self._shelves.get(name)
        if objects is None:
            return _error(404, f"Unrecognized request URL ({path})", "")
        if len(more) == 2 and more[1] == "lines":
            data = objects.whole[more[0]]["lines"]["data"]
            return _page([json.dumps(line).encode() for line in data], query, f"/v1/{path}")
        if more:
            return self._one(name, objects, more[0])
        return _listed(objects, name, query)

    def _one(self, name: str, objects: Shelf, id: str) -> Response[bytes]:
        if id in objects.texts:
            return Response(objects.texts[id], media_type="application/json")
        if id in self.foreign:
            message = f"No such {name}: '{id}'; a similar object exists in live mode, but a test mode key was used."
            return _error(404, message, "resource_missing")
        if id in objects.gone and name == "customers":
            stub = {"id": id, "object": "customer", "deleted": True}
            return Response(json.dumps(stub, indent=2).encode(), media_type="application/json")
        return _error(404, f"No such {name}: '{id}'", "resource_missing")


def _listed(objects: Shelf, name: str, query: dict[str, str]) -> Response[bytes]:
    since, until = int(query.get("created[gte]", 0)), int(query.get("created[lt]", 2**40))
    limit = min(int(query.get("limit", 10)), 100)
    start = bisect.bisect_right(objects.order, (-until, "\uffff"))
    if (after := query.get("starting_after")) is not None:
        if after not in objects.whole:
            return _error(400, f"No such {name}: '{after}'", "resource_missing")
        start = max(start, bisect.bisect_right(objects.order, (-objects.whole[after]["created"], after)))
    end = bisect.bisect_right(objects.order, (-since, "\uffff"))
    result = [id for _, id in objects.order[start : min(end, start + limit)]]
    if name == "subscriptions" and query.get("status") != "all":
        result = [id for id in result if objects.whole[id]["status"] != "canceled"]
    return _list([objects.texts[id] for id in result], start + limit < end, f"/v1/{name}")


def _page(texts: list[bytes], query: dict[str, str], url: str) -> Response[bytes]:
    """Return a page of an object's own list, in its order."""
    ids = [json.loads(text)["id"] for text in texts]
    start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
    limit = min(int(query.get("limit", 10)), 100)
    return _list(texts[start : start + limit], start + limit < len(texts), url)


def _list(texts: list[bytes], has_more: bool, url: str) -> Response[bytes]:
    tail = f'"has_more": {json.dumps(has_more)},\n"url": "{url}"\n}}'.encode()
    body = b'{\n"object": "list",\n"data": [' + b",\n".join(texts) + b"],\n" + tail
    return Response(body, media_type="application/json")


def _cut(data: dict[str, Any]) -> dict[str, Any]:
    """Return the object as Stripe sends it: its own lists cut after ten elements."""
    return {
        name: {**value, "data": value["data"][:CUT], "has_more": True}
        if isinstance(value, dict) and value.get("object") == "list" and len(value["data"]) > CUT
        else value
        for name, value in data.items()
    }


def _error(status: int, message: str, code: str) -> Response[bytes]:
    error = {"error": {"message": message, "code": code, "type": "invalid_request_error"}}
    return Response(json.dumps(error, indent=2).encode(), status_code=status, media_type="application/json")


def fill(fake: StripeListsFake, customers: int, subscriptions: int, *, years: float = 3) -> None:
    """Create customers and subscriptions over the last years, increasingly often; some are canceled."""
    now = int(time.time())
    span = years * 365 * 86400

    def at(number: int, count: int) -> int:
        return int(now - span * (1 - ((number + 1) / (count + 1)) ** 0.5))

    fake.put("customers", *(sample.customer(n, at(n, customers)) for n in range(customers)))
    fake.put(
        "subscriptions",
        *(
            sample.subscription(n, at(n, subscriptions), status="canceled" if n % 9 == 0 else "active")
            for n in range(subscriptions)
        ),
    )


def main() -> None:
    """Serve until SIGTERM; print the address on the first line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--subscriptions", type=int, default=1000)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    requested = parser.parse_args()
    fake = StripeListsFake(requested.port, delay=requested.delay)
    fill(fake, requested.customers, requested.subscriptions)
    with fake:
        print(fake.url, flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
