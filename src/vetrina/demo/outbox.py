"""A development site's letters, as the one that they went to reads them."""

from __future__ import annotations

import re
import time
from typing import Any

from vetrina.demo.runner import Lie, Story

PATIENCE = 15.0
"""Seconds that a letter may take: a worker sends it."""


def kept(story: Story) -> None:
    """Raises Lie, saying what to do, where letters cannot be read."""
    if story.client.get("/api/v1/outbox").status_code != 200:
        raise Lie("this site sends its letters away; run it with VETRINA_DEVELOPMENT=1, and they stay in its outbox")


def letters(story: Story, to: str, count: int = 1) -> list[dict[str, Any]]:
    """The letters to an address or a number, the newest first, once there are `count`. Raises Lie."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: list[dict[str, Any]] = story.call("GET", "/outbox", params={"to": to})["items"]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise Lie(f"no letter came to {to}; is a worker running?")


def code(letter: dict[str, Any]) -> str:
    """The six digits of a letter. Raises Lie."""
    found = re.search(r"\b\d{6}\b", letter["text"])
    if not found:
        raise Lie(f"there is no code in: {letter['text']}")
    return found.group()
