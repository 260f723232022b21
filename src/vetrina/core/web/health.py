"""Liveness, readiness and metrics."""

from __future__ import annotations

import hmac
import shutil
from pathlib import Path
from typing import Any

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from vetrina.core.checks import NO_ROOM
from vetrina.core.errors import Forbidden, Unauthenticated
from vetrina.core.storage import reserve
from vetrina.core.web.middleware.proxies import is_local
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, FOR_PROGRAMS, QUIET


@get("/healthz", include_in_schema=False, opt={**ANONYMOUS, **FOR_PROGRAMS, **QUIET})
async def healthz() -> dict[str, str]:
    """Return that the process answers."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False, opt={**ANONYMOUS, **FOR_PROGRAMS, **QUIET})
async def readyz(request: Request) -> Response[dict[str, str]]:
    """Return 200 when the database answers within two seconds and the disks have space; 503 otherwise."""
    services = request.services
    ready = await services.db.ready()
    if services.db.full or not _has_room(services.settings.data):
        ready, status = False, "no space left on the disk"
    else:
        status = "ready" if ready else "waiting for the database"
    return Response({"status": status}, status_code=200 if ready else 503)


def _has_room(data: Path) -> bool:
    try:
        return shutil.disk_usage(data).free >= NO_ROOM
    except OSError:  # not created yet: the database and the bucket are elsewhere
        return True


@get("/metrics", include_in_schema=False, sync_to_thread=False, opt={**ANONYMOUS, **FOR_PROGRAMS, **QUIET})
def metrics(request: Request) -> Response[bytes]:
    """Return the answering process's metrics in Prometheus's text format. 401 and 403 without permission."""
    token = request.services.settings.metrics_token
    if token and not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode()):
        raise Unauthenticated("The metrics need their token (VETRINA_METRICS_TOKEN).")
    if not token and not is_local(request.scope):
        raise Forbidden("The metrics are read from this machine, or with a token (VETRINA_METRICS_TOKEN).")
    text = generate_latest()
    for name, value in request.services.db.statistics().items():
        text += f"vetrina_db_{name} {value}\n".encode()
    if (space := reserve.disk(request.services.settings)) is not None:
        text += f"vetrina_disk_free_bytes {space.free}\nvetrina_disk_reserve_bytes {space.reserve}\n".encode()
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES: list[Any] = [healthz, readyz, metrics]
