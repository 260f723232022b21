"""Who may call what of domains."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, own, owned
from vetrina.core.database.ids import new_id


async def adding(scene: Scene) -> Made:
    """A domain that nobody has yet."""
    return {"domain": f"{new_id().hex[-12:]}.example"}


async def domain(scene: Scene) -> Made:
    """A domain of the owner's."""
    return {"domain_id": (await scene.created("/domains", json=await adding(scene)))["id"]}


ROWS: dict[str, Row] = {
    "GET /api/v1/domains": own(),
    "POST /api/v1/domains": own(201, body=adding),
    "GET /api/v1/domains/{domain_id}": owned(of=domain),
    "POST /api/v1/domains/{domain_id}/verification": owned(of=domain),
    "DELETE /api/v1/domains/{domain_id}": owned(204, of=domain),
}
