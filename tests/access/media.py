"""Who may call what of media."""

from __future__ import annotations

from typing import Any

from tests.access.matrix import Made, Row, Scene, own, owned
from vetrina.demo.photos import path_of


def photo() -> dict[str, Any]:
    """A photograph, to be uploaded."""
    return {"file": ("coffee.jpg", path_of("coffee").read_bytes(), "image/jpeg")}


async def file(scene: Scene) -> Made:
    """A picture in the owner's library."""
    made = await scene.created("/files", data={"category": "product_image"}, files=photo())
    return {"file_id": made["id"]}


ROWS: dict[str, Row] = {
    "POST /api/v1/files": own(201, form={"category": "product_image"}, files=photo()),
    "GET /api/v1/files": own(),
    "GET /api/v1/files/usage": own(),
    "GET /api/v1/files/{file_id}": owned(of=file),
    "PATCH /api/v1/files/{file_id}": owned(of=file, body={"is_public": True}),
    "DELETE /api/v1/files/{file_id}": owned(204, of=file),
}
