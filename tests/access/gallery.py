"""Who may call what of the gallery."""

from __future__ import annotations

from tests.access.matrix import HIDDEN, NOBODY, Made, Row, Scene, own, owned, public
from tests.access.media import file


async def draft(scene: Scene) -> Made:
    """A draft of the owner's with a picture."""
    if "file" not in scene.kept:
        scene.kept["file"] = (await file(scene))["file_id"]
    return {"post_id": (await scene.created("/posts", json={"images": [{"file_id": scene.kept["file"]}]}))["id"]}


async def post(scene: Scene) -> Made:
    """A public post of the owner's."""
    result = await draft(scene)
    await scene.created(f"/posts/{result['post_id']}/publication")
    return {"account_id": scene.owner.id, **result}


async def hidden(scene: Scene) -> Made:
    """A draft, as its address."""
    return {"account_id": scene.owner.id, **await draft(scene)}


async def deleted(scene: Scene) -> Made:
    """A deleted post of the owner's."""
    result = await draft(scene)
    await scene.site.client.delete(f"/api/v1/posts/{result['post_id']}", headers=scene.owner.headers)
    return result


async def comment(scene: Scene) -> Made:
    """A comment of the owner's on a post of its own."""
    result = await post(scene)
    written = await scene.created(f"/posts/{scene.owner.id}/{result['post_id']}/comments", json={"body": "Hm"})
    return {"account_id": written["account_id"], "comment_id": written["id"]}


async def other(scene: Scene) -> Made:
    """An account that none of the callers is."""
    return {"account_id": (await scene.make.account()).id}


async def requested(scene: Scene) -> Made:
    """An account that asked to follow the owner."""
    follower = await scene.make.account()
    client, owner = scene.site.client, scene.owner
    await client.put("/api/v1/gallery-privacy", headers=owner.headers, json={"is_private": True})
    await client.put(f"/api/v1/following/{owner.id}", headers=follower.headers)
    return {"account_id": follower.id}


_POST = "/api/v1/posts/{account_id}/{post_id}"

ROWS: dict[str, Row] = {
    "POST /api/v1/posts": own(201, body={"title": "A title"}),
    "GET /api/v1/posts": own(),
    "GET /api/v1/posts/{account_id}/{post_id}": Row(HIDDEN, HIDDEN, 200, HIDDEN, of=hidden),
    "PATCH /api/v1/posts/{post_id}": owned(of=draft, body={"title": "Another"}),
    "POST /api/v1/posts/{post_id}/publication": owned(201, of=draft),
    "DELETE /api/v1/posts/{post_id}/publication": owned(204, of=draft),
    "DELETE /api/v1/posts/{post_id}": owned(204, of=draft),
    "POST /api/v1/posts/{post_id}/restoration": owned(201, of=deleted),
    f"PUT {_POST}/like": own(204, of=post),
    f"DELETE {_POST}/like": own(204, of=post),
    f"GET {_POST}/comments": public(of=post),
    f"POST {_POST}/comments": own(201, of=post, body={"body": "Hm"}),
    "DELETE /api/v1/comments/{account_id}/{comment_id}": owned(204, of=comment),
    "GET /api/v1/wall": public(),
    "GET /api/v1/feed": own(),
    "GET /api/v1/accounts/{account_id}/posts": public(of=other),
    "PUT /api/v1/following/{account_id}": own(of=other),
    "DELETE /api/v1/following/{account_id}": own(204, of=other),
    "GET /api/v1/following": own(),
    "GET /api/v1/followers": own(),
    "GET /api/v1/follow-requests": own(),
    "PUT /api/v1/blocks/{account_id}": own(204, of=other),
    "DELETE /api/v1/blocks/{account_id}": own(204, of=other),
    "GET /api/v1/blocks": own(),
    "PUT /api/v1/mutes/{account_id}": own(204, of=other),
    "DELETE /api/v1/mutes/{account_id}": own(204, of=other),
    "DELETE /api/v1/followers/{account_id}": own(204, of=other),
    "PUT /api/v1/followers/{account_id}": Row(NOBODY, HIDDEN, 204, HIDDEN, of=requested),
    "PUT /api/v1/gallery-privacy": own(body={"is_private": False}),
}
