"""The cutting engine: runs `render` in an isolated child, and shows the cut-out at a small size before."""

from __future__ import annotations

import msgspec

from vetrina.clients.engines.base import EngineRefused, EngineRequest, EngineUnavailable
from vetrina.clients.engines.builtin.engine import IsolatedEngine
from vetrina.clients.engines.cutting.catalogue import BY_NAME, ENGINE
from vetrina.clients.engines.networks import models
from vetrina.clients.engines.networks.models import Model
from vetrina.core.isolation.run import IsolatedFailure, IsolatedRejected, Limits, run_isolated

SEED = 7
PREVIEW_LIMITS = Limits(memory_mb=1024, seconds=20, processor_seconds=20)


class CutOutPreview(msgspec.Struct, frozen=True):
    """A small WebP with transparency; empty where it is doubtful what the subject is."""

    image: bytes
    doubtful: bool


class CuttingEngine(IsolatedEngine):
    """Removes backgrounds, in a child process; see `IsolatedEngine`."""

    name = ENGINE
    target = "vetrina.clients.engines.cutting.render:render"
    styles = BY_NAME

    def models(self, request: EngineRequest) -> list[Model]:
        """Return the network that finds subjects."""
        return [models.SUBJECT]

    def limits(self, size: int) -> Limits:
        """Return the limits: a gigabyte, since the cut-out is made at 1600 pixels and more only scales it."""
        return Limits(memory_mb=1024 if size <= 1600 else 2048, seconds=self.seconds, processor_seconds=round(self.seconds))


async def preview(photograph: bytes) -> CutOutPreview:
    """Return the cut-out of a photograph at a small size. Raises EngineRefused, EngineUnavailable."""
    try:
        weights = {models.SUBJECT.name: models.read(models.SUBJECT)}
        payload = {"data": photograph, "seed": SEED, "networks": weights}
        answer = await run_isolated("vetrina.clients.engines.cutting.render:preview", payload, limits=PREVIEW_LIMITS)
    except models.ModelUnavailable as unavailable:
        raise EngineRefused("This style is not available on this site at the moment.") from unavailable
    except IsolatedRejected as refused:
        raise EngineRefused(refused.message) from refused
    except IsolatedFailure as failure:
        raise EngineUnavailable("The preview could not be made. Try again.") from failure
    return msgspec.convert(answer, CutOutPreview)
