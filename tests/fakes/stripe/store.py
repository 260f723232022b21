"""What the fake holds: objects by kind, in the order of their making, and the events that tell of them."""

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
"""What is listed, and the value of its `object`."""


class Store:
    """All objects of one account. Its lock makes one request or one act of the world a whole."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.post = Post()
        self.lock = threading.RLock()
        self.ahead = 0
        """Seconds by which this world's clock is ahead."""
        self.request: dict[str, Any] = {"id": None, "idempotency_key": None}

    def now(self) -> int:
        """The time, in seconds."""
        return int(time.time()) + self.ahead

    def add(self, kind: str, prefix: str, **fields: Any) -> dict[str, Any]:
        """A new object."""
        made = {"id": new_id(prefix), "object": NAMES[kind], "created": self.now(), "livemode": False, "metadata": {}, **fields}
        self.kinds[kind][made["id"]] = made
        return made

    def get(self, kind: str, name: Any) -> dict[str, Any]:
        """An object by its id."""
        found = self.kinds[kind].get(str(name))
        if found is None:
            raise Wrong(404, f"No such {NAMES[kind]}: '{name}'", code="resource_missing", param="id")
        return found

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind, the oldest first."""
        return list(self.kinds[kind].values())

    def tell(self, kind: str, about: dict[str, Any]) -> dict[str, Any]:
        """Something happened: an event with the object as it is now, on its way."""
        event = self.add(
            "events", "evt", api_version=VERSION, type=kind, data={"object": copy.deepcopy(about)}, pending_webhooks=1,
            request=dict(self.request),
        )  # fmt: skip
        event.pop("metadata")
        self.post.send(copy.deepcopy(event))
        return event
