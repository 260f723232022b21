"""Where Stripe's webhooks arrive."""

from __future__ import annotations

from typing import Any

from litestar import post

from vetrina.core.web.request import Request
from vetrina.stripe_mirror import actions
from vetrina.stripe_mirror.model import NotJson

LARGEST = 1024 * 1024
"""Bytes of a body; Stripe's own stay far below."""


@post("/webhooks/stripe", status_code=200, request_max_body_size=LARGEST, include_in_schema=False)
async def webhook(request: Request) -> dict[str, bool]:
    """Take one event in. 200 is said after the commit; everything that is refused leaves no row, and Stripe sends it again."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotJson
    body = await request.body()
    new = await actions.receive(request.services, body, request.headers.get("stripe-signature", ""))
    return {"received": True, "new": new}


ROUTES: list[Any] = [webhook]
