"""The built-in engine: runs `render` in an isolated child."""

from __future__ import annotations

from vetrina.clients.engines.base import (
    BadParameter,
    EngineRefused,
    EngineRequest,
    EngineResult,
    EngineUnavailable,
    Progress,
    validate,
)
from vetrina.clients.engines.builtin.catalogue import BY_NAME, ENGINE
from vetrina.core.isolation.run import (
    IsolatedCrashed,
    IsolatedOutOfMemory,
    IsolatedRejected,
    IsolatedTimeout,
    Limits,
    run_isolated,
)

TARGET = "vetrina.clients.engines.builtin.render:render"


class BuiltinEngine:
    """Renders in a child process with little memory and no files; cancelling the task kills the child.

    `seconds` is the wall clock limit of one request, whatever its size.
    """

    name = ENGINE

    def __init__(self, *, seconds: float = 180.0) -> None:
        self._seconds = seconds

    async def generate(self, request: EngineRequest, progress: Progress) -> EngineResult:
        """Make the pictures. Raises EngineRefused or EngineUnavailable, with words for the user."""
        style = BY_NAME.get(request.style)
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
        }
        try:
            answer = await run_isolated(TARGET, payload, limits=self._limits(int(parameters["size"])), report=progress)
        except IsolatedRejected as refused:
            raise EngineRefused(refused.message) from refused
        except IsolatedOutOfMemory as full:
            raise EngineRefused("This needs more memory than one picture may use. Choose a smaller size.") from full
        except IsolatedTimeout as late:
            raise EngineUnavailable("The picture took too long. Try again, or choose a smaller size.") from late
        except IsolatedCrashed as crashed:
            raise EngineUnavailable("The engine stopped unexpectedly. Please try again.") from crashed
        return EngineResult(images=answer["images"], mime=answer["mime"], notes=answer["notes"])

    def _limits(self, size: int) -> Limits:
        """Return the limits: a gigabyte up to 1600 pixels; beyond that memory grows with the area."""
        memory = 1024 if size <= 1600 else round(500 + 524 * (size / 1600) ** 2)
        return Limits(memory_mb=memory, seconds=self._seconds, processor_seconds=round(self._seconds))
