"""Who may call what of profiles."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, operated, own, public


async def handle(scene: Scene) -> Made:
    """The owner's handle."""
    async with scene.site.api(scene.owner) as api:
        answer = await api.patch("/me/profile", json={"handle": "the-owner"})
        assert answer.status_code == 200, answer.text
    return {"handle": "the-owner"}


async def business(scene: Scene) -> Made:
    """A vendor's account."""
    return {"account_id": (await scene.make.account(kind="vendor")).id}


BADGE = "/api/v1/operator/accounts/{account_id}/verification"

ROWS: dict[str, Row] = {
    "GET /api/v1/me/profile": own(),
    "PATCH /api/v1/me/profile": own(body={"bio": "Prints, mostly."}),
    "GET /api/v1/profiles/{handle}": public(of=handle),
    "GET /api/v1/profiles/{handle}/pictures": public(of=handle),
    f"GET {BADGE}": operated(of=business),
    f"PUT {BADGE}": operated(of=business),
    f"DELETE {BADGE}": operated(204, of=business),
}
