"""Who may call what of the studio."""

from __future__ import annotations

from tests.access.matrix import NOBODY, Made, Row, Scene, own, owned, public
from tests.access.media import file, stored_file
from tests.studio.helpers import wish


async def wanted(scene: Scene) -> Made:
    """A picture of the owner's file."""
    if "file" not in scene.kept:
        scene.kept["file"] = (await file(scene))["file_id"]
    return wish(scene.kept["file"])


async def generation(scene: Scene) -> Made:
    """A picture that is waiting."""
    return {"generation_id": (await scene.created("/generations", json=await wanted(scene)))["id"]}


async def photograph(scene: Scene) -> Made:
    """The owner's file and a style, for a conversion."""
    return {"file_id": (await wanted(scene))["product_files"][0], "style_name": "watercolour", "use_tokens": True}


async def conversion(scene: Scene) -> Made:
    """A conversion that is waiting."""
    return {"conversion_id": (await scene.created("/conversions", json=await photograph(scene)))["conversion"]["id"]}


async def cancelled(scene: Scene) -> Made:
    """A picture that was given up."""
    generation_id = await generation(scene)
    await scene.created(f"/generations/{generation_id['generation_id']}/cancellation")
    return generation_id


async def batch(scene: Scene) -> Made:
    """Two pictures of the owner's file."""
    return {"kind": "seeds", "count": 2, **(await wanted(scene))}


async def started_batch(scene: Scene) -> Made:
    """A batch that is waiting."""
    return {"batch_id": (await scene.created("/batches", json=await batch(scene)))["id"]}


async def draft(scene: Scene) -> Made:
    """The owner's draft."""
    body = await wanted(scene)
    answer = await scene.site.client.put("/api/v1/studio/draft", headers=scene.owner.headers, json=body)
    assert answer.status_code == 200, answer.text
    return {}


ROWS: dict[str, Row] = {
    "GET /api/v1/files/{file_id}/cutout": owned(of=stored_file),
    "GET /api/v1/styles": public(),
    # Who sends another's file is told that there is none.
    "POST /api/v1/generations": Row(NOBODY, 422, 201, 422, body=wanted),
    "GET /api/v1/generations": own(),
    "GET /api/v1/generations/events": own(),
    "GET /api/v1/generations/{generation_id}": owned(of=generation),
    "GET /api/v1/generations/{generation_id}/events": owned(of=cancelled),
    "POST /api/v1/generations/{generation_id}/cancellation": owned(of=generation),
    "POST /api/v1/generations/{generation_id}/return": owned(409, of=generation),
    "POST /api/v1/generations/{generation_id}/retry": owned(201, of=cancelled),
    "PUT /api/v1/generations/{generation_id}/favourite": owned(of=cancelled),
    "DELETE /api/v1/generations/{generation_id}/favourite": owned(of=cancelled),
    "POST /api/v1/conversions": Row(NOBODY, 404, 201, 404, body=photograph),
    "GET /api/v1/conversions": own(),
    "GET /api/v1/conversions/{conversion_id}": owned(of=conversion),
    "POST /api/v1/batches": Row(NOBODY, 422, 201, 422, body=batch),
    "POST /api/v1/batches/quote": own(body=batch),
    "GET /api/v1/batches/{batch_id}": owned(of=started_batch),
    "POST /api/v1/batches/{batch_id}/cancellation": owned(of=started_batch),
    "GET /api/v1/studio/draft": Row(NOBODY, 404, 200, 404, of=draft),
    "PUT /api/v1/studio/draft": Row(NOBODY, 422, 200, 422, body=wanted),
    "DELETE /api/v1/studio/draft": own(204),
    # Only what is finished is hung on the wall: the owner is told so.
    "POST /api/v1/generations/{generation_id}/sharing": owned(409, of=cancelled, body={"is_public": True}),
}
