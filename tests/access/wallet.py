"""Who may call what of the wallet."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, operated, own, public


async def new_pack(scene: Scene) -> Made:
    """A pack that there is not yet."""
    scene.kept["packs"] = scene.kept.get("packs", 0) + 1
    name = f"matrix_{scene.kept['packs']}"
    return {"name": name, "title": "Matrix", "asset": "token", "quantity": 1, "price": 100, "currency": "USD"}


async def pack(scene: Scene) -> Made:
    """A pack that is for sale."""
    return {"name": "tokens_50"}


async def an_account(scene: Scene) -> Made:
    """Return an account that operators may give credits to."""
    return {"account_id": (await scene.make.account()).id}


ROWS: dict[str, Row] = {
    "GET /api/v1/wallet": own(),
    "GET /api/v1/wallet/entries": own(),
    "GET /api/v1/packs": public(),
    "GET /api/v1/plans": public(),
    "GET /api/v1/membership": own(),
    "GET /api/v1/quotas": own(),
    "GET /api/v1/operator/packs": operated(),
    "POST /api/v1/operator/packs": operated(201, body=new_pack),
    "GET /api/v1/operator/accounts/{account_id}/credits": operated(of=an_account),
    "POST /api/v1/operator/accounts/{account_id}/credits": operated(201, of=an_account, body={"quantity": 5, "reason": "A gift"}),
    "PATCH /api/v1/operator/packs/{name}": operated(of=pack, body={"title": "Sketchbook"}),
}
