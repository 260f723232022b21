"""Signed deliveries and direct reads of the mirror."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx2

from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.settings.environment import Settings
from vetrina.stripe_mirror import events
from vetrina.stripe_mirror.events import sign
from vetrina.stripe_mirror.ingest import actions

SECRET, OLDER_SECRET = "whsec_new", "whsec_old"


def with_stripe(settings: Settings, **more: Any) -> Settings:
    """Return the settings with webhook secrets."""
    return replace(settings, stripe_webhook_secret=f"{SECRET},{OLDER_SECRET}", **more)


async def deliver(
    site: Site, body: dict[str, Any] | bytes, *, secret: str = SECRET, at: float = 0, headers: dict[str, str] | None = None
) -> httpx2.Response:
    """POST a body as Stripe does, signed `at` seconds from now."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = {"stripe-signature": sign(raw, secret, int(time.time() + at)), "content-type": "application/json; charset=utf-8"}
    return await site.client.post("/webhooks/stripe", content=raw, headers={**signed, **(headers or {})})


async def ingest(db: Database, *batches: Sequence[dict[str, Any]]) -> None:
    """Ingest events without HTTP, each batch in one transaction."""
    for batch in batches:
        async with db.tx() as tx:
            await actions.ingest_events(tx, [events.read(json.dumps(item).encode()) for item in batch], [])


async def row(db: Database, kind: str, id: str, columns: str = "data") -> Any:
    """Return columns of a mirrored object, or None."""
    async with db.read() as tx:
        result = await (await tx.connection.execute(
            f"select {columns} from stripe_mirror.{kind} where id = %s".encode(), (id,))).fetchone()  # fmt: skip
    return result[0] if result and len(result) == 1 else result


async def value(db: Database, sql: str, *arguments: Any) -> Any:
    """Return the first column of the first row."""
    async with db.read() as tx:
        result = await (await tx.connection.execute(sql.encode(), arguments)).fetchone()
    return result[0] if result else None
