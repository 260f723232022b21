"""Who may call what of profiles."""

from __future__ import annotations

from tests.access.rows import Made, Row, Scene, own, public


async def handle(scene: Scene) -> Made:
    """The owner's handle."""
    async with scene.site.api(scene.owner) as api:
        answer = await api.patch("/me/profile", json={"handle": "the-owner"})
        assert answer.status_code == 200, answer.text
    return {"handle": "the-owner"}


ROWS: dict[str, Row] = {
    "GET /api/v1/me/profile": own(),
    "PATCH /api/v1/me/profile": own(body={"bio": "Prints, mostly."}),
    "GET /api/v1/profiles/{handle}": public(of=handle),
    "GET /api/v1/profiles/{handle}/pictures": public(of=handle),
}
