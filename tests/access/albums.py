"""Who may call what of albums."""

from __future__ import annotations

from tests.access.matrix import NOBODY, Made, Row, Scene, own, owned, public
from tests.access.media import stored_file


async def album(scene: Scene) -> Made:
    """An album of the owner's business with a picture."""
    if "business" not in scene.kept:
        change = {"business": {"business_name": "Studio"}}
        await scene.site.client.patch("/api/v1/me/profile", headers=scene.owner.headers, json=change)
        scene.kept["business"] = True
    created = await scene.created("/albums", json={"name": "Bowls"})
    return {"album_id": created["id"], **await stored_file(scene)}


async def filled(scene: Scene) -> Made:
    """An album of the owner's with a picture in it."""
    result = await album(scene)
    await scene.created(f"/albums/{result['album_id']}/files", json={"file_ids": [result["file_id"]]})
    return result


async def public_album(scene: Scene) -> Made:
    """A public album of the owner's."""
    result = await album(scene)
    path = f"/api/v1/albums/{result['album_id']}"
    await scene.site.client.patch(path, headers=scene.owner.headers, json={"is_public": True})
    return {"account_id": scene.owner.id, **result}


async def deleted_album(scene: Scene) -> Made:
    """A deleted album of the owner's."""
    result = await album(scene)
    await scene.site.client.delete(f"/api/v1/albums/{result['album_id']}", headers=scene.owner.headers)
    return result


async def own_pictures(scene: Scene) -> Made:
    """The body that names the owner's picture."""
    return {"file_ids": [(await stored_file(scene))["file_id"]]}


async def other_album(scene: Scene) -> Made:
    """The body that moves the owner's picture to another album."""
    return {**await own_pictures(scene), "album_id": (await album(scene))["album_id"]}


_ALBUM = "/api/v1/albums/{album_id}"

ROWS: dict[str, Row] = {
    "POST /api/v1/albums": Row(NOBODY, 403, 201, 403, of=album, body={"name": "Cups"}),
    "GET /api/v1/albums": own(),
    f"GET {_ALBUM}": owned(of=album),
    f"PATCH {_ALBUM}": owned(of=album, body={"name": "Cups"}),
    f"DELETE {_ALBUM}": owned(204, of=album),
    f"POST {_ALBUM}/restoration": owned(201, of=deleted_album),
    f"GET {_ALBUM}/files": owned(of=filled),
    f"POST {_ALBUM}/files": owned(201, of=album, body=own_pictures),
    f"POST {_ALBUM}/removal": owned(201, of=filled, body=own_pictures),
    f"POST {_ALBUM}/moves": owned(201, of=filled, body=other_album),
    f"PUT {_ALBUM}/files/{{file_id}}/place": owned(204, of=filled, body={"before": None}),
    "POST /api/v1/files/changes": own(201, body=own_pictures),
    "GET /api/v1/public-albums/{account_id}": public(of=public_album),
    "GET /api/v1/public-albums/{account_id}/{album_id}/files": public(of=public_album),
}
