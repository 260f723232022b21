"""The web application: it lists the modules' routes, nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.openapi import OpenAPIConfig
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]

import vetrina
from vetrina.accounts.endings import endings
from vetrina.accounts.identify import Identify
from vetrina.core.services import Services
from vetrina.core.settings import BadSetting, Settings
from vetrina.core.web import front, health, outbox, problems
from vetrina.core.web.handles import at_signs
from vetrina.core.web.limiting import Limiting
from vetrina.core.web.request import Request
from vetrina.core.web.trace import trace
from vetrina.web import STATIC
from vetrina.web.assets import version

MODULES = ("accounts", "wallet", "media", "stripe_mirror", "payments", "studio", "reports")
STARTS = {"studio": "/", "reports": "/reports", "stripe_mirror": "/operator/stripe"}
"""Where who comes to the site begins: the first of these that is loaded."""


def loaded(settings: Settings) -> list[str]:
    """The modules that VETRINA_ONLY leaves, in order. Raises BadSetting for one that there is not."""
    unknown = {each.strip() for each in settings.only.split(",")} - {"", *MODULES}
    if unknown:
        raise BadSetting(f"VETRINA_ONLY names {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}.")
    return [name for name in MODULES if settings.loads(name)]


def create(services: Services) -> Any:
    """The ASGI application on these services, which it opens and closes with its lifespan."""
    modules = loaded(services.settings)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        await services.open()
        try:
            yield
        finally:
            await services.close()

    app = Litestar(
        route_handlers=[
            Router("/api/v1", route_handlers=_routes("api", modules)),
            *_routes("pages", modules),
            *_routes("serve", modules),
            *health.ROUTES,
            *front.ROUTES,
            *outbox.ROUTES,
            *front.start(next((path for name, path in STARTS.items() if name in modules), "/sign-in")),
            create_static_files_router(
                f"/static/{version()}",
                directories=[STATIC],
                include_in_schema=False,
                cache_control=None,
                after_request=_for_ever,
            ),
        ],
        request_class=Request,
        middleware=[Identify(), Limiting()],
        exception_handlers=problems.HANDLERS,
        lifespan=[lifespan],
        openapi_config=OpenAPIConfig(
            title="Vetrina",
            version=vetrina.__version__,
            path="/api/schema",
            root_schema_site="swagger",
            render_plugins=[],
            use_handler_docstrings=True,
        ),
        compression_config=CompressionConfig(
            backend="gzip", minimum_size=1024, gzip_compress_level=5, exclude=["/media/", "/events", "^/exports/"]
        ),
        request_max_body_size=30 * 1024 * 1024,
        logging_config=None,
        debug=False,
    )
    app.state.services = services
    services.part(endings)  # listens from the beginning
    return trace(at_signs(app), secure=services.settings.secure)


def _routes(kind: str, modules: Sequence[str] = MODULES) -> list[Any]:
    """The routes of these modules' files of a kind: `api.py` and `NOUN_api.py`, `pages.py`, `serve.py` and theirs."""
    found: list[Any] = []
    for name in modules:
        package = importlib.import_module(f"vetrina.{name}")
        for each in pkgutil.iter_modules(package.__path__):
            if each.name == kind or each.name.endswith(f"_{kind}"):
                found += importlib.import_module(f"vetrina.{name}.{each.name}").ROUTES
    return found


def _for_ever(response: Any) -> Any:
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
