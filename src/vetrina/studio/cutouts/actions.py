"""The cut-out of a file of the library: its free preview, and the generation that makes it."""

from __future__ import annotations

from uuid import UUID

from vetrina.clients.engines.base import EngineRefused, EngineUnavailable
from vetrina.clients.engines.cutting import engine
from vetrina.clients.engines.cutting.catalogue import REMOVE_BACKGROUND
from vetrina.clients.engines.cutting.engine import CutOutPreview
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Refusal, Unavailable
from vetrina.core.services import Services
from vetrina.media.files import actions as media
from vetrina.media.files.decode_slots import SLOT_TIMEOUT, DecodeSlots
from vetrina.media.model import Category, FileRow
from vetrina.studio.generations.actions import GenerationRequest

USABLE = frozenset({Category.PRODUCT, Category.MODEL, Category.GENERATED})
"""Categories that generations take."""


class NotCuttable(Refusal):
    """The background cannot be removed from this picture."""

    status = 422


async def preview(services: Services, account: AccountId, file: FileRow) -> CutOutPreview:
    """Return the cut-out at a small size, free, in the account's decoding turn.

    Raises NotCuttable (422), DecodingBusy (429), NotFound (404), Unavailable (503).
    """
    if file.category not in USABLE:
        raise NotCuttable
    async with services.get(DecodeSlots).hold(account, file.width * file.height, SLOT_TIMEOUT):
        data = await media.read(services, account, file.id)
        try:
            return await engine.preview(data)
        except EngineRefused as refused:
            raise NotCuttable(refused.message) from refused
        except EngineUnavailable as away:
            raise Unavailable(away.message) from away


def request_of(file_id: UUID, category: str, file_format: str) -> GenerationRequest:
    """Return the request of the generation that removes the file's background."""
    model = category == Category.MODEL
    return GenerationRequest(
        style_name=REMOVE_BACKGROUND,
        product_files=[] if model else [file_id],
        model_files=[file_id] if model else [],
        parameters={"format": file_format},
        seed=engine.SEED,
    )
