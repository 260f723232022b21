"""Who may call what of messaging. A conversation is hidden from all who take no part in it."""

from __future__ import annotations

from tests.access.matrix import Made, Row, Scene, own, owned


async def conversation(scene: Scene) -> Made:
    """A conversation of the owner's with an account that none of the callers is."""
    other = await scene.make.account()
    return {"conversation_id": (await scene.created("/conversations", json={"account_ids": [str(other.id)]}))["id"]}


async def group(scene: Scene) -> Made:
    """A group of the owner's."""
    other = await scene.make.account()
    body = {"account_ids": [str(other.id)], "is_group": True, "title": "Friends"}
    return {"conversation_id": (await scene.created("/conversations", json=body))["id"]}


async def message(scene: Scene) -> Made:
    """A message of the owner's."""
    result = await conversation(scene)
    sent = await scene.created(f"/conversations/{result['conversation_id']}/messages", json={"body": "Hello"})
    return {**result, "position": sent["position"]}


async def request(scene: Scene) -> Made:
    """A request of another account to the owner."""
    other = await scene.make.account()
    client = scene.site.client
    started = await client.post("/api/v1/conversations", headers=other.headers, json={"account_ids": [str(scene.owner.id)]})
    result = {"conversation_id": started.json()["id"]}
    await client.post(
        f"/api/v1/conversations/{result['conversation_id']}/messages", headers=other.headers, json={"body": "Hello"}
    )
    return result


async def partner(scene: Scene) -> Made:
    """An account to write to."""
    return {"account_ids": [str((await scene.make.account()).id)]}


_CONVERSATION = "/api/v1/conversations/{conversation_id}"

ROWS: dict[str, Row] = {
    "GET /api/v1/conversations": own(),
    "POST /api/v1/conversations": own(201, body=partner),
    f"GET {_CONVERSATION}": owned(of=conversation),
    f"DELETE {_CONVERSATION}": owned(204, of=conversation),
    f"POST {_CONVERSATION}/participants": owned(201, of=group, body=partner),
    f"DELETE {_CONVERSATION}/participation": owned(204, of=group),
    f"PUT {_CONVERSATION}/mute": owned(204, of=conversation),
    f"DELETE {_CONVERSATION}/mute": owned(204, of=conversation),
    f"PUT {_CONVERSATION}/hiding": owned(204, of=conversation),
    f"DELETE {_CONVERSATION}/hiding": owned(204, of=conversation),
    f"PUT {_CONVERSATION}/acceptance": owned(204, of=request),
    f"DELETE {_CONVERSATION}/acceptance": owned(204, of=request),
    f"GET {_CONVERSATION}/messages": owned(of=conversation),
    f"POST {_CONVERSATION}/messages": owned(201, of=conversation, body={"body": "Hello"}),
    f"PATCH {_CONVERSATION}/messages/{{position}}": owned(of=message, body={"body": "Hello again"}),
    f"DELETE {_CONVERSATION}/messages/{{position}}": owned(204, of=message),
    f"PUT {_CONVERSATION}/read-mark": owned(204, of=message, body={"position": 1}),
    f"GET {_CONVERSATION}/events": owned(of=conversation),
    "GET /api/v1/conversations/events": own(),
    "GET /api/v1/messages": Row(401, 422, 422, 422),  # the row sends no words to search for
}
