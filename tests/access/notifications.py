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


async def browser(scene: Scene) -> Made:
    """A browser of the owner's."""
    body = {"endpoint": f"https://{SERVICE}/fcm/send/{scene.owner.id}", "keys": KEYS}
    return {"subscription_id": (await scene.created("/push-subscriptions", json=body))["id"]}


SERVICE = "fcm.googleapis.com"
"""One of the push services that the setting names."""
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
"""Of RFC 8291, section 5."""

ROWS: dict[str, Row] = {
    "GET /api/v1/notifications": own(),
    "GET /api/v1/notifications/unread": own(),
    "GET /api/v1/notifications/events": own(),
    "PUT /api/v1/notifications/read-mark": own(204),
    "PUT /api/v1/notifications/{notification_id}/read-mark": owned(204, of=notification),
    "DELETE /api/v1/notifications/{notification_id}": owned(204, of=notification),
    "GET /api/v1/notification-preferences": own(),
    "PATCH /api/v1/notification-preferences": own(body={"choices": []}),
    "GET /api/v1/push-key": own(),
    "GET /api/v1/push-subscriptions": own(),
    "POST /api/v1/push-subscriptions": own(201, body={"endpoint": f"https://{SERVICE}/fcm/send/1", "keys": KEYS}),
    "DELETE /api/v1/push-subscriptions/{subscription_id}": owned(204, of=browser),
}
