"""Where Stripe's webhooks arrive."""

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
from vetrina.stripe_mirror.model import BadEvent, NotJson

LARGEST = 1024 * 1024
"""Bytes of a body; Stripe's own stay far below."""
NEW, KNOWN = b'{"received":true,"new":true}', b'{"received":true,"new":false}'


@asgi("/webhooks/stripe", copy_scope=False, opt={**FOR_PROGRAMS, **QUIET})
async def webhook(scope: Scope, receive: Receive, send: Send) -> None:
    """Take one event in. 200 is said after the commit; everything that is refused leaves no row, and Stripe sends it again.

    A plain ASGI route: of an ordinary one's time, most would go into a request and a response that nobody looks at.
    """
    if scope_value(scope, "method") != "POST":
        raise MethodNotAllowedException
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise NotJson
    services: Services = scope["litestar_app"].state.services
    signature = headers.get(b"stripe-signature", b"").decode("latin-1")
    new = await actions.receive(services, await _body(headers, receive), signature)
    answer = NEW if new else KNOWN
    length = str(len(answer)).encode()
    head: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": answer, "more_body": False})


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """The whole body. Raises TooLarge (413) as soon as that is known."""
    told = headers.get(b"content-length", b"")
    if told.isdigit() and int(told) > LARGEST:
        raise TooLarge
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message: Any = await receive()
        if message["type"] != "http.request":  # who asked has gone
            raise BadEvent("The body did not come whole.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            raise TooLarge
        more = bool(message.get("more_body"))
    return b"".join(parts)


ROUTES: list[Any] = [webhook]
