"""The sample photographs of the site in an account's library: what is offered, and how one is added."""

from __future__ import annotations

import asyncio
from typing import Any

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.media import queries
from vetrina.media.files import actions
from vetrina.media.model import FileRow
from vetrina.media.processing.dimensions import HEAD, MAX_PIXELS, pixel_count
from vetrina.media.sample_photographs import SAMPLES, Sample
from vetrina.web.assets import static
from vetrina.web.i18n import say


async def offered(tx: Tx, account: AccountId) -> list[dict[str, Any]]:
    """Return the samples for an account that has no picture, as {name, title, credit, role, url}; none for any other."""
    return [] if await tx.fetch_one(queries.HAS_FILES, account=account) else [_card(sample) for sample in SAMPLES.values()]


async def add(services: Services, account: AccountId, name: str) -> FileRow:
    """Add a sample to the library, once; return its file. It takes no upload of the plan's month.

    Raises NotFound (404) for an unknown name, and what `actions.upload` raises.
    """
    sample = SAMPLES.get(name)
    if sample is None:
        raise NotFound
    category = f"{sample.role}_image"
    async with services.db.read() as tx:
        present = await tx.fetch_optional(queries.SAMPLE, account=account, category=category, sample=name)
    if present is not None:
        return present
    data = await asyncio.to_thread(sample.path.read_bytes)

    async def read() -> bytes:
        return data

    pixels = pixel_count(data[:HEAD]) or MAX_PIXELS
    file_name = f"{say(sample.title)}.jpg"
    return await actions.upload(services, account, read, category=category, file_name=file_name, pixels=pixels, sample=name)


def credit(metadata: dict[str, Any]) -> str:
    """Return the author and the licence of a file that was a sample; "" for any other file."""
    sample = SAMPLES.get(str(metadata.get("sample", "")))
    return _credit(sample) if sample else ""


def _card(sample: Sample) -> dict[str, Any]:
    return {
        "name": sample.name,
        "title": say(sample.title),
        "credit": _credit(sample),
        "role": sample.role,
        "url": static(sample.preview),
    }


def _credit(sample: Sample) -> str:
    return say("{author}, {licence}", author=sample.author, licence=sample.licence)
