"""The neural engine: runs `render` in an isolated child."""

from __future__ import annotations

from vetrina.clients.engines.base import EngineRequest
from vetrina.clients.engines.builtin.engine import IsolatedEngine
from vetrina.clients.engines.networks import models
from vetrina.clients.engines.networks.models import Model
from vetrina.clients.engines.neural.catalogue import BY_NAME, ENGINE, STYLE_TRANSFER
from vetrina.core.isolation.run import Limits

NEEDED = [models.PAINTED, models.STYLE_READER, models.STYLE_PAINTER, models.FACES]


class NeuralEngine(IsolatedEngine):
    """Paints by networks, in a child process; see `IsolatedEngine`."""

    name = ENGINE
    target = "vetrina.clients.engines.neural.render:render"
    styles = BY_NAME

    def models(self, request: EngineRequest) -> list[Model]:
        """Return the networks that the request needs."""
        if request.style == STYLE_TRANSFER:
            return [models.STYLE_READER, models.STYLE_PAINTER, models.FACES]
        composed = [models.SUBJECT] if request.products and request.models else []
        return [models.PAINTED, models.FACES, *composed]

    def limits(self, size: int) -> Limits:
        """Return the limits: a painting of 1600 pixels takes about a gigabyte."""
        return Limits(memory_mb=2048, seconds=self.seconds, processor_seconds=round(self.seconds))
