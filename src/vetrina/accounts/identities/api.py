"""JSON routes of identity providers: signing in through one, and the identities of an account."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.accounts.identities import actions as identities
from vetrina.accounts.identities import queries
from vetrina.accounts.identities.model import IdentityRow
from vetrina.accounts.identities.providers import MINUTES, AuthorizationResponse, Providers
from vetrina.accounts.model import Kind
from vetrina.accounts.sessions.web import Session, session_response
from vetrina.accounts.web import SIGN_IN_LIMIT, caller, kind
from vetrina.core.database.paging import Page
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import CONFIRMED

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
ReturnAddress = Annotated[str, msgspec.Meta(max_length=300)]


class ProviderView(msgspec.Struct):
    """A provider to sign in with; a browser starts at `url`."""

    name: str
    title: str
    url: str


class AuthorizationRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Request to start signing in. `redirect_uri` is a program's own on this machine; the provider has to allow it."""

    kind: Kind = "user"
    redirect_uri: ReturnAddress | None = None


class LinkRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Request to start linking an identity."""

    provider: Annotated[str, msgspec.Meta(max_length=64)]
    redirect_uri: ReturnAddress | None = None


class Authorization(msgspec.Struct):
    """A started authorization: the user signs in at `authorization_url`, within `expires_in` seconds.

    `transaction` is a secret of the program that started it; it is sent back with the provider's response.
    """

    authorization_url: str
    transaction: str
    expires_in: int


class ProviderResponse(msgspec.Struct, forbid_unknown_fields=True):
    """The parameters that the provider redirected back with."""

    transaction: Text
    code: Text
    state: Text
    iss: Annotated[str, msgspec.Meta(max_length=500)] | None = None

    def parameters(self) -> AuthorizationResponse:
        """Return the provider's part."""
        return AuthorizationResponse(code=self.code, state=self.state, iss=self.iss)


class LinkResponse(ProviderResponse, kw_only=True, forbid_unknown_fields=True):
    """The same, of an authorization to link an identity."""

    provider: Annotated[str, msgspec.Meta(max_length=64)]


@get("/auth/providers", tags=["accounts"], sync_to_thread=False)
def list_providers(request: Request) -> Page[ProviderView]:
    """Return the identity providers to sign in with; none when none is configured."""
    offered = request.services.get(Providers).offered()
    return Page([ProviderView(provider.name, provider.title, f"/auth/providers/{provider.name}") for provider in offered], None)


@post("/auth/providers/{name:str}/authorizations", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def begin(request: Request, name: str, data: AuthorizationRequest) -> Authorization:
    """Start signing in at a provider. 404 when it is not configured, 503 when it does not answer."""
    url, sealed = await request.services.get(Providers).begin(name, kind=data.kind, redirect_uri=data.redirect_uri)
    return Authorization(url, sealed, MINUTES * 60)


@post("/auth/providers/{name:str}/session", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def sign_in(request: Request, name: str, data: ProviderResponse) -> Session:
    """Finish signing in: a session, and a new account for a new identity.

    400 when the authorization is another client's or has expired, 401 when the provider's response is refused
    (`second-factor-needed` carries a `challenge` for POST /auth/session/second-factor), 403 when the account is disabled, 409
    when the identity belongs to an account of the other kind, or the address to an account that it is not linked to.
    """
    pending = request.services.get(Providers).unsealed(name, data.transaction)
    session = await identities.sign_in(request.services, pending, data.parameters(), caller(request))
    return session_response(request, session)


@get("/identities", guards=[signed_in], tags=["accounts"])
async def list_identities(request: Request) -> Page[IdentityRow]:
    """Return the account's identities at providers, the oldest first."""
    async with request.read() as tx:
        return Page(await tx.fetch_all(queries.IDENTITIES, account=request.account.id), None)


@post("/identities/authorizations", guards=[signed_in], tags=["accounts"], opt=CONFIRMED)
async def begin_link(request: Request, data: LinkRequest) -> Authorization:
    """Start linking an identity to this account."""
    account = request.account
    url, sealed = await request.services.get(Providers).begin(
        data.provider,
        kind=kind(account.kind),
        redirect_uri=data.redirect_uri,
        link_to=(account.id, account.session_id),
    )
    return Authorization(url, sealed, MINUTES * 60)


@post("/identities", guards=[signed_in], tags=["accounts"])
async def link(request: Request, data: LinkResponse) -> IdentityRow:
    """Finish linking, from the session that started it. 409 when the identity is linked to another account."""
    pending = request.services.get(Providers).unsealed(data.provider, data.transaction)
    account = request.account
    return await identities.link(
        request.services, pending, data.parameters(), account.id, account.session_id, caller=caller(request)
    )


@delete("/identities/{identity_id:uuid}", guards=[signed_in], tags=["accounts"])
async def unlink(request: Request, identity_id: UUID) -> None:
    """Unlink an identity. 409 when it is the only way to sign in."""
    async with request.tx() as tx:
        await identities.unlink(tx, request.account.id, identity_id)


ROUTES: list[Any] = [list_providers, begin, sign_in, list_identities, begin_link, link, unlink]
