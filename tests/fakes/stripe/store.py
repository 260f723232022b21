"""Objects of the fake by kind, in order of creation, and their events."""

from __future__ import annotations

import copy
import threading
import time
from collections import defaultdict
from typing import Any

from tests.fakes.stripe.protocol import Wrong, new_id
from tests.fakes.stripe.webhooks import Post

VERSION = "2026-10-28.endive"

NAMES = {
    "customers": "customer", "products": "product", "prices": "price", "checkout/sessions": "checkout.session",
    "payment_intents": "payment_intent", "charges": "charge", "refunds": "refund", "disputes": "dispute",
    "subscriptions": "subscription", "invoices": "invoice", "events": "event",
}  # fmt: skip
"""Listed kinds, and the value of their `object`."""


class Store:
    """All objects of one account. Its lock makes each request or external event atomic."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.post = Post()
        self.lock = threading.RLock()
        self.ahead = 0
        """Seconds that this clock is ahead."""
        self.request: dict[str, Any] = {"id": None, "idempotency_key": None}

    def now(self) -> int:
        """Return the time in seconds."""
        return int(time.time()) + self.ahead

    def add(self, kind: str, prefix: str, **fields: Any) -> dict[str, Any]:
        """Create an object."""
        common = {"object": NAMES[kind], "created": self.now(), "livemode": False, "metadata": {}}
        item: dict[str, Any] = {"id": new_id(prefix), **common, **fields}
        self.kinds[kind][item["id"]] = item
        return item

    def get(self, kind: str, name: Any) -> dict[str, Any]:
        """Return an object by its id."""
        response = self.kinds[kind].get(str(name))
        if response is None:
            raise Wrong(404, f"No such {NAMES[kind]}: '{name}'", code="resource_missing", param="id")
        return response

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return all objects of a kind, oldest first."""
        return list(self.kinds[kind].values())

    def tell(self, kind: str, about: dict[str, Any]) -> dict[str, Any]:
        """Create an event with the object's current state and send it."""
        event = self.add(
            "events", "evt", api_version=VERSION, type=kind, data={"object": copy.deepcopy(about)}, pending_webhooks=1,
            request=dict(self.request),
        )  # fmt: skip
        event.pop("metadata")
        self.post.send(copy.deepcopy(event))
        return event
