"""A development site's outbox, read as the recipient."""

from __future__ import annotations

import re
import time
from typing import Any

from vetrina.demo.runner import CheckFailed, DemoRun

PATIENCE = 15.0
"""Seconds that a message may take: a worker sends it."""


def kept(demo: DemoRun) -> None:
    """Raise CheckFailed with a hint if the site keeps no outbox."""
    if demo.client.get("/api/v1/outbox").status_code != 200:
        raise CheckFailed("this site sends its mail; run it with VETRINA_DEVELOPMENT=1 to keep mail in the outbox")


def letters(demo: DemoRun, to: str, count: int = 1) -> list[dict[str, Any]]:
    """Return the messages to an address or number, newest first, once there are `count`. Raises CheckFailed."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        items: list[dict[str, Any]] = demo.call("GET", "/outbox", params={"to": to})["items"]
        if len(items) >= count:
            return items
        time.sleep(0.05)
    raise CheckFailed(f"no message arrived for {to}; is a worker running?")


def code(letter: dict[str, Any]) -> str:
    """Return the six digits in a message. Raises CheckFailed."""
    match = re.search(r"\b\d{6}\b", letter["text"])
    if not match:
        raise CheckFailed(f"there is no code in: {letter['text']}")
    return match.group()
