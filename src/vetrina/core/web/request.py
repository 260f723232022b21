"""The request as routes get it: the account, the services, a transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import litestar
import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import FormMultiDict
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.types import Empty

from vetrina.core import audit
from vetrina.core.audit import Actor, ActorType
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Invalid, JsonRequired, NotFound, Unauthenticated
from vetrina.core.services import Services
from vetrina.core.web import forms
from vetrina.core.web.route_options import option


class Principal(msgspec.Struct, frozen=True):
    """The authenticated caller: a signed-in account and its session. `browser` distinguishes a cookie from a bearer token.

    `roles` are loaded with a browser's session; for an API client only behind a guard of `accounts.guards`, which reads them.
    """

    id: AccountId
    session_id: UUID
    kind: str
    browser: bool = False
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    roles: frozenset[str] = frozenset()
    is_operator: bool = False
    """Whether the account may use the operator pages."""


def scope_value(scope: object, name: str) -> Any:
    """Return a value that our own middleware stored in an ASGI scope, beside Litestar's keys; None if absent."""
    return cast("dict[str, Any]", scope).get(name)


class Request(litestar.Request[Any, Any, Any]):
    """Litestar's request with our additions."""

    @property
    def services(self) -> Services:
        """Return the process's services."""
        return self.scope["litestar_app"].state.services

    @property
    def principal(self) -> Principal | None:
        """Return the caller, or None."""
        return scope_value(self.scope, "vetrina.principal")

    @property
    def account(self) -> Principal:
        """Return the caller. Raises Unauthenticated (401) if no account is signed in."""
        if self.principal is None:
            raise Unauthenticated
        return self.principal

    @property
    def actor(self) -> Actor:
        """Return the actor for the audit log: an operator behind an operator's guard, else the account itself."""
        ip = self.client.host if self.client else None
        if self.principal is None:
            return Actor("system", None, ip)
        kind = cast("ActorType", self.principal.kind)
        return Actor("admin" if scope_value(self.scope, "vetrina.as_operator") else kind, self.principal.id, ip)

    @asynccontextmanager
    async def tx(self) -> AsyncGenerator[Tx]:
        """Yield a transaction; the audit log records its changes as made by the caller."""
        async with self.services.db.tx() as tx:
            if self.principal is not None:
                await audit.set_actor(tx, self.actor)
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Tx]:
        """Yield a connection for single statements."""
        async with self.services.db.read() as tx:
            yield tx

    async def require_visible(self, tx: Tx, owner: UUID) -> None:
        """Raise NotFound (404) where the owner is hidden from the caller, such as by a block of either."""
        if self.principal is None or self.principal.id == owner:
            return
        for hides in self.services.modules.hides:
            if await hides(tx, self.principal.id, owner):
                raise NotFound

    async def body(self) -> bytes:
        """Return the whole body. Raises TooManyFields (413) for a form with too many."""
        body = await super().body()
        if self.content_type[0] == RequestEncodingType.URL_ENCODED:
            forms.check_fields(body)
        return body

    async def json(self) -> Any:
        """Return the body of a JSON request.

        Raises JsonRequired (415) for another content type: a form of another site can send text/plain without asking the browser.
        """
        content_type = self.content_type[0].lower()
        if content_type and content_type != "application/json" and not content_type.endswith("+json"):
            raise JsonRequired
        return await super().json()

    async def form(self) -> FormMultiDict:
        """Return the fields of a form, files as `UploadFile`. Raises Malformed (400), TooLarge and TooManyFields (413)."""
        content_type, options = self.content_type
        if content_type == RequestEncodingType.MULTI_PART and self._connection_state.form is Empty:
            self._connection_state.form = await forms.read_multipart(self.stream(), options.get("boundary"))
        return await super().form()

    @property
    def idempotency_key(self) -> str | None:
        """Return the Idempotency-Key header. Raises Invalid (422) when it is empty or over 255 characters."""
        key = self.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 255:
            raise Invalid("An Idempotency-Key has 1 to 255 characters.")
        return key

    @property
    def is_api(self) -> bool:
        """Return whether the client expects problem+json rather than a page."""
        return self.url.path.startswith("/api/") or bool(option(self.scope, "for_programs"))


class SignInFirst(Exception):
    """A page needs an account: redirect to sign-in and back."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


def signed_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard: require a signed-in account. API clients get 401; browsers are redirected to the sign-in page."""
    if scope_value(connection.scope, "vetrina.principal") is None:
        if connection.scope["path"].startswith("/api/"):
            raise Unauthenticated
        query = connection.scope["query_string"].decode("latin-1")
        again = f"?{query}" if query and scope_value(connection.scope, "method") == "GET" else ""
        raise SignInFirst(connection.scope["path"] + again)
