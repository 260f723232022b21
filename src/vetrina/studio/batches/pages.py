"""The page of a batch: a contact sheet with the state of each picture."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.studio.batches import actions
from vetrina.studio.generations import presenters
from vetrina.studio.model import ENDED, BatchKind
from vetrina.web.i18n import N_, say

TITLES = {
    BatchKind.PICTURES: N_("One of each picture"),
    BatchKind.STYLES: N_("One in each style"),
    BatchKind.SEEDS: N_("Variations"),
}


@get("/studio/batches/{batch_id:uuid}", guards=[signed_in], include_in_schema=False)
async def one(request: Request, batch_id: UUID) -> Response[str]:
    """Render a batch."""
    async with request.read() as tx:
        batch, rows = await actions.rows_of(tx, request.account.id, batch_id)
    ended = sum(row.status in ENDED for row in rows)
    return pages.render(
        request,
        "studio/batches/batch.html",
        nav="history",
        batch={
            "id": batch.id,
            "title": say(TITLES[BatchKind(batch.kind)]),
            "created_at": batch.created_at,
            "asset": rows[0].charge_asset if rows else "token",
            "total": sum(row.cost for row in rows),
            "refunded": actions.refunded(rows),
            "count": len(rows),
            "ended": ended,
            "is_live": ended < len(rows),
        },
        generations=[presenters.tile(request.services, row) for row in rows],
    )


@post("/studio/batches/{batch_id:uuid}/cancellation", guards=[signed_in], include_in_schema=False)
async def cancel(request: Request, batch_id: UUID) -> Response[Any]:
    """Cancel what of a batch has not ended."""
    async with request.tx() as tx:
        await actions.cancel(tx, request.account.id, batch_id)
    return pages.redirect(f"/studio/batches/{batch_id}")


ROUTES: list[Any] = [one, cancel]
