"""The intake of an image: checked and re-encoded in an isolated process, then stored within the account's limit."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from vetrina.accounts.storage import actions as storage
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Refusal, Unavailable
from vetrina.core.isolation.run import (
    IsolatedCrashed,
    IsolatedOutOfMemory,
    IsolatedRejected,
    IsolatedTimeout,
    Limits,
    run_isolated,
)
from vetrina.core.services import Services
from vetrina.core.storage import reserve
from vetrina.core.storage.store import StorageFailure
from vetrina.media.files.decode_slots import DecodeSlots
from vetrina.media.links import ORIGINAL, Side
from vetrina.media.model import (
    DamagedImage,
    EmptyFile,
    FileTooLarge,
    ImageTooComplex,
    InvalidDimensions,
    Prepared,
    UnsupportedImage,
)

log = structlog.get_logger("vetrina.media")

REMOVAL_SECONDS = 5.0
"""Seconds that a failed upload waits for its bytes to be deleted; the sweep deletes them otherwise."""
LIMITS = Limits(memory_mb=1024, seconds=30)

_REFUSALS: dict[str, type[Refusal]] = {
    "empty": EmptyFile,
    "too_many_bytes": FileTooLarge,
    "not_an_image": UnsupportedImage,
    "format_not_taken": UnsupportedImage,
    "animated": UnsupportedImage,
    "several_pages": UnsupportedImage,
    "too_many_pixels": InvalidDimensions,
    "too_long": InvalidDimensions,
    "too_small": InvalidDimensions,
    "damaged": DamagedImage,
}


async def store(services: Services, account: AccountId, result: dict[str, Any]) -> Prepared:
    """Store the result of the intake, if it fits the account's limit and the disk.

    The decoding slot is free meanwhile, so a slow bucket does not block decoding.
    """
    file_id = new_id()
    storage_key = f"{account}/{file_id}"
    thumbnails: dict[str, dict[str, Any]] = result["thumbnails"]
    derived_bytes = sum(len(item["data"]) for item in thumbnails.values())
    reserve.require(services.settings, result["bytes"] + derived_bytes)
    async with services.db.read() as tx:
        await storage.require_room(tx, account, result["bytes"] + derived_bytes)
    parts = {ORIGINAL: (result["data"], result["mime"])} | {
        size: (item["data"], item["mime"]) for size, item in thumbnails.items()
    }
    keys = {f"{storage_key}/{variant}": part for variant, part in parts.items()}
    try:
        # all are awaited, so that none can arrive after the deletion
        async with services.get(DecodeSlots).storing:
            outcomes = await asyncio.gather(
                *(services.storage.put(key, body, mime) for key, (body, mime) in keys.items()), return_exceptions=True
            )
    except asyncio.CancelledError:
        await asyncio.shield(remove(services, list(keys)))
        raise
    failed = [item for item in outcomes if item is not None]
    if failed:
        await remove(services, list(keys))
        if isinstance(failed[0], StorageFailure):
            log.error("image could not be stored", error=str(failed[0]))
            raise Unavailable("The image cannot be stored at the moment. Try again later.") from failed[0]
        log.error("image could not be stored", exc_info=failed[0])
        raise failed[0]
    return Prepared(
        account_id=account,
        id=file_id,
        storage_key=storage_key,
        sha256=bytes.fromhex(result["sha256"]),
        mime=result["mime"],
        bytes=result["bytes"],
        width=result["width"],
        height=result["height"],
        colour=result["colour"],
        thumbnails={size: Side(item["width"], item["height"]) for size, item in thumbnails.items()},
        derived_bytes=derived_bytes,
    )


async def run(data: bytes, *, heic: bool) -> dict[str, Any]:
    """Return the result of the isolated intake; its failures become refusals. `heic`: whether the site takes HEIC."""
    try:
        return await run_isolated("vetrina.media.processing.images:intake", {"data": data, "heic": heic}, limits=LIMITS)
    except IsolatedRejected as refused:
        raise _REFUSALS[refused.code](refused.message, reason=refused.code) from refused
    except (IsolatedTimeout, IsolatedOutOfMemory) as error:
        log.warning("image exceeds the decoding limits", exc_info=error)
        raise ImageTooComplex from error
    except IsolatedCrashed as error:
        if error.signal is None:
            raise  # a fault of our own code
        log.warning("image crashed the decoder", exc_info=error)
        raise DamagedImage from error


async def remove(services: Services, keys: list[str]) -> None:
    """Delete these keys within a few seconds; the sweep deletes them otherwise."""
    try:
        async with asyncio.timeout(REMOVAL_SECONDS):
            await services.storage.delete(keys)
    except (StorageFailure, TimeoutError):
        log.warning("orphaned bytes not deleted", keys=keys)
