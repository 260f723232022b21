"""Stripe's API protocol: nested forms, errors, idempotency keys, expanded objects, list pages."""

from __future__ import annotations

import hashlib
import json
import random
import re
import string
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

_DICE = random.SystemRandom()


class Wrong(Exception):
    """An API error: HTTP status, `type` and `code`, the parameter."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None, kind: str = "") -> None:
        self.status = status
        self.error = {"type": kind or ("card_error" if status == 402 else "invalid_request_error"), "message": message}
        self.error |= {name: value for name, value in (("code", code), ("param", param)) if value}
        super().__init__(message)


@dataclass
class Kept:
    """The response stored for an idempotency key; no body yet while the request runs."""

    call: str
    status: int = 0
    body: bytes | None = None


@dataclass
class Call:
    """A request: `params` are the nested form or query."""

    method: str
    path: str
    params: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def key(self) -> str | None:
        """Return the Idempotency-Key."""
        return self.headers.get("idempotency-key")

    def mark(self) -> str:
        """Return a fingerprint that distinguishes requests with the same key."""
        text = json.dumps([self.method, self.path, self.params], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def new_id(prefix: str) -> str:
    """Return an id in Stripe's format."""
    return f"{prefix}_{''.join(_DICE.choices(string.ascii_letters + string.digits, k=24))}"


def nested(text: str) -> dict[str, Any]:
    """Parse `a[b][0][c]=1` as {"a": {"b": [{"c": "1"}]}}."""
    result: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key)
        place = result
        names = [first, *rest]
        for number, name in enumerate(names[:-1]):
            place = place.setdefault(name or str(len(place)), {})
            if not isinstance(place, dict):
                raise Wrong(400, f"Invalid parameter: {'['.join(names[: number + 1])}")
        place[names[-1] or str(len(place))] = value
    return _lists(result)


def _lists(value: Any) -> Any:
    """Convert objects with the keys 0, 1, 2... to lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(item) for key, item in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def whole(params: dict[str, Any], name: str, default: int | None = None) -> int:
    """Return an integer parameter."""
    value = params.get(name, default)
    if value is None:
        raise Wrong(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Wrong(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name) from None


def metadata(params: dict[str, Any]) -> dict[str, str]:
    """Return the metadata parameters."""
    return {key: str(value) for key, value in (params.get("metadata") or {}).items()}


def page(rows: list[dict[str, Any]], call: Call) -> dict[str, Any]:
    """Return a list page: newest first, filtered as the API filters."""
    params = call.params
    limit = whole(params, "limit", 10)
    if not 1 <= limit <= 100:
        raise Wrong(400, "This value must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    result = rows[::-1]
    created = params.get("created")
    for name, fits in (("gte", lambda a, b: a >= b), ("gt", lambda a, b: a > b), ("lte", lambda a, b: a <= b),
                       ("lt", lambda a, b: a < b)):  # fmt: skip
        if isinstance(created, dict) and name in created:
            edge = int(created[name])
            result = [row for row in result if fits(row["created"], edge)]
    for name in ("customer", "payment_intent", "charge", "subscription", "status", "type", "product"):
        if name in params and params[name] != "all":
            result = [row for row in result if row.get(name) == params[name]]
    ids = [row["id"] for row in result]
    if start := params.get("starting_after"):
        result = result[ids.index(start) + 1 :] if start in ids else []
    elif end := params.get("ending_before"):
        result = result[max(0, ids.index(end) - limit) : ids.index(end)] if end in ids else []
    return {"object": "list", "url": call.path, "data": result[:limit], "has_more": len(result) > limit}
