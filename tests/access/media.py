"""Who may call what of media."""

from __future__ import annotations

from typing import Any

from tests.access.matrix import Made, Row, Scene, operated, own, owned, public
from vetrina.demo.photos import path_of


def photo() -> dict[str, Any]:
    """A photograph, to be uploaded."""
    return {"file": ("coffee.jpg", path_of("coffee").read_bytes(), "image/jpeg")}


async def file(scene: Scene) -> Made:
    """A picture in the owner's library."""
    created = await scene.created("/files", data={"category": "product_image"}, files=photo())
    return {"file_id": created["id"]}


async def trashed(scene: Scene) -> Made:
    """A picture in the owner's trash."""
    of = {"file_id": (await scene.created("/files", data={"category": "profile_image"}, files=photo()))["id"]}
    await scene.site.client.delete(f"/api/v1/files/{of['file_id']}", headers=scene.owner.headers)
    return of


async def sample(_: Scene) -> Made:
    """A sample photograph of the site."""
    return {"name": "coffee"}


async def stored_file(scene: Scene) -> Made:
    """A picture of the owner's that several rows use: uploads are few."""
    if "file" not in scene.kept:
        scene.kept["file"] = (await file(scene))["file_id"]
    return {"file_id": scene.kept["file"]}


async def public_file(scene: Scene) -> Made:
    """A public picture of the owner's, or one that the row before took down: uploads are few."""
    await stored_file(scene)  # as the studio's rows use
    path = f"/api/v1/files/{scene.kept['file']}"
    await scene.site.client.patch(path, headers=scene.owner.headers, json={"is_public": True})
    return {"account_id": scene.owner.id, "file_id": scene.kept["file"]}


ROWS: dict[str, Row] = {
    "POST /api/v1/files": own(201, form={"category": "product_image"}, files=photo()),
    "GET /api/v1/files": own(),
    "GET /api/v1/samples": own(),
    "POST /api/v1/samples/{name}": own(201, of=sample),
    "GET /api/v1/files/usage": own(),
    "GET /api/v1/files/{file_id}": owned(of=file),
    "GET /api/v1/files/{file_id}/credentials": owned(of=stored_file),
    "PATCH /api/v1/files/{file_id}": owned(of=file, body={"is_public": True}),
    "POST /api/v1/public-pictures/{account_id}/{file_id}/reports": public(202, of=public_file, body={"reason": "spam"}),
    "GET /api/v1/operator/public-pictures": operated(),
    "GET /api/v1/operator/public-pictures/{account_id}/{file_id}": operated(of=public_file),
    "POST /api/v1/operator/public-pictures/{account_id}/{file_id}/takedown": operated(
        201, of=public_file, body={"reason": "Spam"}
    ),
    "DELETE /api/v1/operator/public-pictures/{account_id}/{file_id}/takedown": operated(204, of=public_file),
    "POST /api/v1/operator/public-pictures/{account_id}/{file_id}/dismissal": operated(204, of=public_file),
    "POST /api/v1/operator/public-pictures/{account_id}/{file_id}/featuring": operated(201, of=public_file),
    "DELETE /api/v1/operator/public-pictures/{account_id}/{file_id}/featuring": operated(204, of=public_file),
    "DELETE /api/v1/files/{file_id}": owned(204, of=file),
    "GET /api/v1/files/trash": own(),
    "GET /api/v1/files/trash/usage": own(),
    "POST /api/v1/files/{file_id}/restoration": owned(201, of=trashed),
    "DELETE /api/v1/files/trash/{file_id}": owned(204, of=trashed),
    "DELETE /api/v1/files/trash": own(204),
}
