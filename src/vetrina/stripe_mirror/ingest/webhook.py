"""The webhook endpoint of Stripe."""

from __future__ import annotations

from typing import Any

from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.types import Receive, Scope, Send

from vetrina.core.errors import TooLarge
from vetrina.core.services import Services
from vetrina.core.web.request import scope_value
from vetrina.core.web.route_options import FOR_PROGRAMS, QUIET
from vetrina.stripe_mirror.ingest import actions
from vetrina.stripe_mirror.model import InvalidEvent, NotJson

MAX_BODY = 1024 * 1024
"""The largest body in bytes; Stripe's own are far smaller."""
NEW, DUPLICATE = b'{"received":true,"new":true}', b'{"received":true,"new":false}'


@asgi("/webhooks/stripe", copy_scope=False, opt={**FOR_PROGRAMS, **QUIET})
async def webhook(scope: Scope, receive: Receive, send: Send) -> None:
    """Ingest one event. The status is 200 after the commit; a refused event stores nothing, and Stripe sends it again.

    A plain ASGI route, because an ordinary one would spend most of its time on request and response objects.
    """
    if scope_value(scope, "method") != "POST":
        raise MethodNotAllowedException
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise NotJson
    services: Services = scope["litestar_app"].state.services
    signature = headers.get(b"stripe-signature", b"").decode("latin-1")
    new = await actions.receive(services, await _body(headers, receive), signature)
    response = NEW if new else DUPLICATE
    length = str(len(response)).encode()
    response_headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": response_headers})
    await send({"type": "http.response.body", "body": response, "more_body": False})


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """PageRead the body. Raises TooLarge (413) as soon as the limit is exceeded."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > MAX_BODY:
        raise TooLarge
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message: Any = await receive()
        if message["type"] != "http.request":  # the client disconnected
            raise InvalidEvent("The body is incomplete.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise TooLarge
        more = bool(message.get("more_body"))
    return b"".join(chunks)


ROUTES: list[Any] = [webhook]
