"""The service worker, which shows pushed notifications, and the page that it shows without a connection."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, QUIET
from vetrina.web import static


@get("/service-worker.js", include_in_schema=False, opt={**ANONYMOUS, **QUIET}, sync_to_thread=False)
def service_worker() -> Response[str]:
    """Return the service worker from the root, so that it serves the whole site."""
    text = f'importScripts("{static("js/service_worker.js")}");\n'
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"})


@get("/offline", include_in_schema=False, sync_to_thread=False)
def offline(request: Request) -> Response[str]:
    """Return the page that is shown without a connection. The service worker fetches it without cookies and stores it."""
    return pages.render(request, "notifications/push/offline.html")


ROUTES: list[Any] = [service_worker, offline]
