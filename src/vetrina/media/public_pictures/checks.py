"""The check of reports about public pictures."""

from __future__ import annotations

from vetrina.core.checks import Check, Site
from vetrina.media.public_pictures import queries


async def reports(site: Site) -> list[Check]:
    """Check that no reported picture waits for a decision."""
    if site.tx is None:
        return []
    waiting = await site.tx.fetch_one(queries.WAITING)
    if not waiting:
        return [Check("reports", "ok", "no reported picture waits for a decision")]
    return [Check("reports", "warning", f"reported pictures that wait: {waiting}", "Decide on the page of public pictures.")]
