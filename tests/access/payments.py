"""Who may call what of payments."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, own, owned


async def purchase(scene: Scene) -> Made:
    """A pack at the sandbox."""
    packs = (await scene.site.client.get("/api/v1/packs")).json()["items"]
    return {"pack_id": packs[0]["id"], "gateway": "sandbox"}


async def smaller_plan(scene: Scene) -> Made:
    """A plan of theirs, who have none that it could follow."""
    plans = (await scene.site.client.get("/api/v1/plans")).json()["items"]
    return {"plan_id": next(plan["id"] for plan in plans if plan["name"] == "basic")}


async def payment(scene: Scene) -> Made:
    """A checkout that the owner opened."""
    return {"payment_id": (await scene.created("/payments", json=await purchase(scene)))["id"]}


ROWS: dict[str, Row] = {
    "POST /api/v1/payments": own(201, body=purchase),
    "GET /api/v1/payments": own(),
    "POST /api/v1/membership/cancellation": own(409),
    "POST /api/v1/membership/resumption": own(),
    "POST /api/v1/membership/downgrade": own(409, body=smaller_plan),
    "GET /api/v1/payments/{payment_id}": owned(of=payment),
}
