"""The web application: the routes of the loaded modules."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.openapi import OpenAPIConfig
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]
from litestar.types import Receive, Scope, Send

import vetrina
from vetrina import modules
from vetrina.accounts.confirmation.guards import require_confirmation
from vetrina.accounts.sessions.middleware import Identify
from vetrina.accounts.sessions.revocations import RevokedSessions
from vetrina.accounts.site_pages.actions import PublishedPages
from vetrina.core.module import Module
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.core.web import meta_pages, problems
from vetrina.core.web.http.query_parameters import declared_parameters
from vetrina.core.web.middleware.body_limits import BODY_BYTES, BodyLimits
from vetrina.core.web.middleware.handle_rewrite import rewrite_handle_path
from vetrina.core.web.middleware.head import answer_head
from vetrina.core.web.middleware.rate_limits import Limiting
from vetrina.core.web.middleware.request_middleware import trace
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, NO_COMPRESSION
from vetrina.web.assets import static_folders, version


class Application:
    """The ASGI application of the modules that the settings load.

    It serves with the services set by `use`, which it opens and closes with its lifespan. Registering the routes takes a third
    of a second, so one application may be given other services between two lifespans.
    """

    def __init__(self, settings: Settings) -> None:
        self._modules = modules.of(settings)
        self._litestar = _litestar(self._modules.loaded)
        self._asgi = trace(answer_head(rewrite_handle_path(self._litestar)), secure=settings.secure)

    def use(self, services: Services) -> None:
        """Serve with these services from the next start on. Their settings must load the same modules with the same `secure`."""
        services.modules = self._modules
        services.get(RevokedSessions)  # both listen from the start
        services.get(PublishedPages)
        self._litestar.state.services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        await self._asgi(scope, receive, send)


def create(services: Services) -> Application:
    """Return the application with these services."""
    application = Application(services.settings)
    application.use(services)
    return application


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncGenerator[None]:
    services: Services = app.state.services
    await services.open()
    try:
        yield
    finally:
        await services.close()


def _litestar(loaded: tuple[Module, ...]) -> Litestar:
    homes = {module.name: module.home for module in loaded if module.home}
    return Litestar(
        route_handlers=[
            Router(
                "/api/v1",
                route_handlers=[route for module in loaded for route in module.api_routes()],
                guards=[declared_parameters],
            ),
            *(route for module in loaded for route in module.page_routes()),
            *meta_pages.home_redirect(next(homes[name] for name in modules.HOMES if name in homes)),
            create_static_files_router(
                f"/static/{version()}",
                directories=[*static_folders()],
                include_in_schema=False,
                cache_control=None,
                opt=ANONYMOUS,
                after_request=_for_ever,
            ),
        ],
        request_class=Request,
        before_request=cast("Any", require_confirmation),
        middleware=[BodyLimits(), Identify(), Limiting()],
        exception_handlers=problems.HANDLERS,
        lifespan=[_lifespan],
        openapi_config=OpenAPIConfig(
            title="Vetrina",
            version=vetrina.__version__,
            path="/api/schema",
            root_schema_site="swagger",
            render_plugins=[],
            use_handler_docstrings=True,
        ),
        compression_config=CompressionConfig(
            backend="gzip", minimum_size=1024, gzip_compress_level=5, exclude_opt_key=NO_COMPRESSION
        ),
        request_max_body_size=BODY_BYTES,
        logging_config=None,
        debug=False,
    )


def _for_ever(response: Any) -> Any:
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
