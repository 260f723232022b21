"""The web application: the routes of the modules."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.openapi import OpenAPIConfig
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]

import vetrina
from vetrina import modules
from vetrina.accounts.sessions.middleware import Identify
from vetrina.accounts.sessions.revocations import endings
from vetrina.core.services import Services
from vetrina.core.web import meta_pages as front
from vetrina.core.web import problems
from vetrina.core.web.middleware.handle_rewrite import at_signs
from vetrina.core.web.middleware.rate_limits import Limiting
from vetrina.core.web.middleware.request_middleware import trace
from vetrina.core.web.request import Request
from vetrina.web import STATIC
from vetrina.web.assets import version


def create(services: Services) -> Any:
    """The ASGI application on these services, which it opens and closes with its lifespan."""
    services.modules = modules.of(services.settings)
    loaded = services.modules.loaded
    homes = {module.name: module.home for module in loaded if module.home}

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        await services.open()
        try:
            yield
        finally:
            await services.close()

    app = Litestar(
        route_handlers=[
            Router("/api/v1", route_handlers=[route for module in loaded for route in module.api_routes()]),
            *(route for module in loaded for route in module.page_routes()),
            *front.start(next(homes[name] for name in modules.HOMES if name in homes)),
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


def _for_ever(response: Any) -> Any:
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
