"""Who may call what of reports and members: operators."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, operated
from tests.stripe_mirror.helpers import ingest
from vetrina.stripe_mirror.consistency import sample_data as sample

SEARCH = {"name": "Adults", "filters": {"metadata": {"membership_type": "Adult"}}}


async def report(_: Scene) -> Made:
    """One that there is."""
    return {"name": "mrr"}


async def customer(scene: Scene) -> Made:
    """A customer in the mirror."""
    created = sample.customer(1, 1_770_000_000)
    await ingest(scene.site.services.db, [sample.event("customer.created", created, 1_770_000_000, 1)])
    return {"customer_id": created["id"]}


async def search(scene: Scene) -> Made:
    """A search that the admin keeps."""
    async with scene.site.api(scene.admin) as api:
        return {"search_id": (await api.post("/members/searches", json=SEARCH)).json()["id"]}


ROWS: dict[str, Row] = {
    "GET /api/v1/reports": operated(),
    "GET /api/v1/reports/{name}": operated(of=report),
    "GET /api/v1/members": operated(),
    "GET /api/v1/members/subscriptions": operated(),
    "GET /api/v1/members/keys": operated(),
    "GET /api/v1/members/searches": operated(),
    "POST /api/v1/members/searches": operated(201, body=SEARCH),
    "DELETE /api/v1/members/searches/{search_id}": operated(204, of=search),
    "GET /api/v1/members/{customer_id}": operated(of=customer),
}
