"""Who may call what of the wallet."""

from __future__ import annotations

import msgspec

from tests.access.matrix import Made, Row, Scene, operated, own, public
from vetrina.wallet.plan_editor import actions
from vetrina.wallet.plan_editor.model import NewPlan


async def new_pack(scene: Scene) -> Made:
    """A pack that there is not yet."""
    scene.kept["packs"] = scene.kept.get("packs", 0) + 1
    name = f"matrix_{scene.kept['packs']}"
    return {"name": name, "title": "Matrix", "asset": "token", "quantity": 1, "price": 100, "currency": "USD"}


async def pack(scene: Scene) -> Made:
    """A pack that is for sale."""
    return {"name": "tokens_50"}


async def new_plan(scene: Scene) -> Made:
    """A plan that there is not yet."""
    scene.kept["plans"] = scene.kept.get("plans", 0) + 1
    return {"name": f"matrix_{scene.kept['plans']}", "kind": "user", "display_name": "Matrix", "prices": {"USD": 500}}


async def plan(scene: Scene) -> Made:
    """A plan that is open."""
    return {"name": "basic"}


async def unused_plan(scene: Scene) -> Made:
    """A plan that no account has been on."""
    async with scene.site.services.db.tx() as tx:
        added = await actions.add(tx, msgspec.convert(await new_plan(scene), NewPlan))
    return {"name": added.name}


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
    "GET /api/v1/operator/plans": operated(),
    "POST /api/v1/operator/plans": operated(201, body=new_plan),
    "PATCH /api/v1/operator/plans/{name}": operated(of=plan, body={"display_name": "Basic"}),
    "DELETE /api/v1/operator/plans/{name}": operated(204, of=unused_plan),
    "GET /api/v1/operator/plans/{name}/members": operated(of=plan),
}
