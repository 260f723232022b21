"""Engines of this machine, which render in an isolated child; the built-in one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import structlog

from vetrina.clients.engines.base import (
    BadParameter,
    EngineRefused,
    EngineRequest,
    EngineResult,
    EngineUnavailable,
    Progress,
    Style,
    validate,
)
from vetrina.clients.engines.builtin.catalogue import BY_NAME, ENGINE
from vetrina.clients.engines.networks import models
from vetrina.clients.engines.networks.models import Model
from vetrina.core.isolation.run import (
    IsolatedCrashed,
    IsolatedOutOfMemory,
    IsolatedRejected,
    IsolatedTimeout,
    Limits,
    run_isolated,
)

log = structlog.get_logger("vetrina.engines")

TARGET = "vetrina.clients.engines.builtin.render:render"


class IsolatedEngine(ABC):
    """Renders in a child process with little memory and no files; cancelling the task kills the child.

    `seconds` is the wall clock limit of one request, whatever its size. A network that a request needs and that is not
    there refuses it, unless it is one that the engine can do without.
    """

    name: str
    target: str
    styles: Mapping[str, Style]
    optional: frozenset[str] = frozenset()
    """Names of networks that the engine can do without."""

    def __init__(self, *, seconds: float = 180.0) -> None:
        self.seconds = seconds

    @abstractmethod
    def models(self, request: EngineRequest) -> list[Model]:
        """Return the networks that the request needs."""

    @abstractmethod
    def limits(self, size: int) -> Limits:
        """Return the limits of a picture of this size."""

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        """Make the pictures. Raises EngineRefused or EngineUnavailable, with words for the user."""
        style = self.styles.get(request.style)
        if style is None:
            raise EngineRefused("There is no such style.")
        try:
            parameters = validate(style, request.parameters)
        except BadParameter as bad:
            raise EngineRefused(bad.message) from None
        payload = {
            "style": request.style,
            "parameters": parameters,
            "seed": request.seed,
            "products": request.products,
            "models": request.models,
            "networks": self._weights(request),
        }
        try:
            answer = await run_isolated(self.target, payload, limits=self.limits(int(parameters["size"])), report=progress)
        except IsolatedRejected as refused:
            raise EngineRefused(refused.message) from refused
        except IsolatedOutOfMemory as full:
            raise EngineRefused("This needs more memory than one picture may use. Choose a smaller size.") from full
        except IsolatedTimeout as late:
            raise EngineUnavailable("The picture took too long. Try again, or choose a smaller size.") from late
        except IsolatedCrashed as crashed:
            raise EngineUnavailable("The engine stopped unexpectedly. Please try again.") from crashed
        return EngineResult(images=answer["images"], mime=answer["mime"], notes=answer["notes"])

    def _weights(self, request: EngineRequest) -> dict[str, bytes]:
        weights: dict[str, bytes] = {}
        for model in self.models(request):
            try:
                weights[model.name] = models.read(model)
            except models.ModelUnavailable as unavailable:
                log.warning("a network is not available", model=model.name, why=str(unavailable))
                if model.name not in self.optional:
                    raise EngineRefused("This style is not available on this site at the moment.") from unavailable
        return weights


class BuiltinEngine(IsolatedEngine):
    """Draws and paints without a network, apart from the one that cuts products out; see `IsolatedEngine`."""

    name = ENGINE
    target = TARGET
    styles = BY_NAME
    optional = frozenset({models.SUBJECT.name})

    def models(self, request: EngineRequest) -> list[Model]:
        """Return the network that finds subjects, if products are cut out: for a scene, a backdrop or a model."""
        cut = request.products and (request.models or self.styles[request.style].needs_product)
        return [models.SUBJECT] if cut else []

    def limits(self, size: int) -> Limits:
        """Return the limits: a gigabyte up to 1600 pixels; beyond that memory grows with the area."""
        memory = 1024 if size <= 1600 else round(500 + 524 * (size / 1600) ** 2)
        return Limits(memory_mb=memory, seconds=self.seconds, processor_seconds=round(self.seconds))
