"""Who may call what of notifications: an account its own."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, own, owned
from vetrina.notifications.actions import notify


async def notification(scene: Scene) -> Made:
    """A notification of the owner's."""
    async with scene.site.services.db.tx() as tx:
        await notify(tx, scene.owner.id, "follow", str(scene.owner.id))
    client = scene.site.client
    page = await client.get("/api/v1/notifications", headers=scene.owner.headers)
    return {"notification_id": page.json()["items"][0]["id"]}


ROWS: dict[str, Row] = {
    "GET /api/v1/notifications": own(),
    "GET /api/v1/notifications/unread": own(),
    "GET /api/v1/notifications/events": own(),
    "PUT /api/v1/notifications/read-mark": own(204),
    "PUT /api/v1/notifications/{notification_id}/read-mark": owned(204, of=notification),
    "DELETE /api/v1/notifications/{notification_id}": owned(204, of=notification),
    "GET /api/v1/notification-preferences": own(),
    "PATCH /api/v1/notification-preferences": own(body={"choices": []}),
}
