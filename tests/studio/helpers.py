"""What tests of the studio need: pictures in the library, and waiting for an end."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2

from vetrina.demo.photos import path_of

QUICK = {"size": 480}
"""A small result, so that tests are quick."""


async def upload(api: httpx2.AsyncClient, category: str = "product_image", photo: str = "coffee") -> str:
    """Upload a demo photograph; its id."""
    path = path_of(photo)
    answer = await api.post("/files", data={"category": category}, files={"file": (path.name, path.read_bytes(), "image/jpeg")})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def wish(product: str, **changes: Any) -> dict[str, Any]:
    """A small picture in watercolour."""
    return {"style_name": "watercolour", "product_files": [product], "parameters": QUICK, **changes}


async def ended(api: httpx2.AsyncClient, generation: str, *, seconds: float = 60) -> dict[str, Any]:
    """The generation once it has ended."""
    async with asyncio.timeout(seconds):
        while True:
            result = (await api.get(f"/generations/{generation}")).json()
            if result["status"] in {"completed", "failed", "cancelled"}:
                return result
            await asyncio.sleep(0.1)
