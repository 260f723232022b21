"""JSON routes of identity providers: signing in through one, and the identities of one's account."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.accounts.identities import actions as identities
from vetrina.accounts.identities import queries as queries_identities
from vetrina.accounts.identities.model import IdentityRow
from vetrina.accounts.identities.providers import Answer, providers
from vetrina.accounts.web import SIGN_IN_LIMIT, Session, device, session
from vetrina.core.web.paging import Page
from vetrina.core.web.request import Request, signed_in

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
ReturnAddress = Annotated[str, msgspec.Meta(max_length=300)]


class Offered(msgspec.Struct):
    """A provider to sign in with; a browser begins at `url`."""

    name: str
    title: str
    url: str


class Beginning(msgspec.Struct, forbid_unknown_fields=True):
    """What beginning takes. `redirect_uri` is a program's own on this machine; the provider has to know it."""

    kind: Literal["user", "vendor"] = "user"
    redirect_uri: ReturnAddress | None = None


class Linking(msgspec.Struct, forbid_unknown_fields=True):
    """What beginning to link takes."""

    provider: Annotated[str, msgspec.Meta(max_length=64)]
    redirect_uri: ReturnAddress | None = None


class UnderWay(msgspec.Struct):
    """A sign-in that was begun: the person signs in at `authorization_url`, within `expires_in` seconds.

    `transaction` is a secret of the program that began; it comes back with what the provider sent.
    """

    authorization_url: str
    transaction: str
    expires_in: int


class Return(msgspec.Struct, forbid_unknown_fields=True):
    """What the provider sent the person back with."""

    transaction: Text
    code: Text
    state: Text
    iss: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class Linked(Return, kw_only=True, forbid_unknown_fields=True):
    """The same, to be linked."""

    provider: Annotated[str, msgspec.Meta(max_length=64)]


@get("/auth/providers", tags=["accounts"], sync_to_thread=False)
def offered(request: Request) -> Page[Offered]:
    """The identity providers that one can sign in with; none when none is set up."""
    known = request.services.part(providers).offered()
    return Page([Offered(each.name, each.title, f"/auth/providers/{each.name}") for each in known], None)


@post("/auth/providers/{name:str}/authorizations", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def begin(request: Request, name: str, data: Beginning) -> UnderWay:
    """Begin to sign in at a provider. 404 when it is not set up here, 503 when it does not answer."""
    url, sealed = await request.services.part(providers).begin(name, kind=data.kind, redirect_uri=data.redirect_uri)
    return UnderWay(url, sealed, identities.MINUTES * 60)


@post("/auth/providers/{name:str}/session", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def sign_in(request: Request, name: str, data: Return) -> Session:
    """Finish signing in: a session, and an account for an identity that has none.

    400 when it was begun elsewhere or is over, 401 when the provider's answer does not hold (`second-factor-needed` carries a
    `challenge` for POST /auth/session/second-factor), 403 when the account is disabled, 409 when the identity belongs to an
    account of the other kind, or the address to an account that it is not linked to.
    """
    begun = request.services.part(providers).opened(name, data.transaction)
    opened = await identities.enter(request.services, begun, _answer(data), device(request))
    return session(request, opened)


@get("/identities", guards=[signed_in], tags=["accounts"])
async def linked(request: Request) -> Page[IdentityRow]:
    """The account's identities at providers, the oldest first."""
    async with request.read() as tx:
        return Page(await tx.all(queries_identities.IDENTITIES, account=request.account.id), None)


@post("/identities/authorizations", guards=[signed_in], tags=["accounts"])
async def begin_link(request: Request, data: Linking) -> UnderWay:
    """Begin to link an identity to this account."""
    who = request.account
    url, sealed = await request.services.part(providers).begin(
        data.provider,
        kind="vendor" if who.kind == "vendor" else "user",
        redirect_uri=data.redirect_uri,
        link_to=(who.id, who.session_id),
    )
    return UnderWay(url, sealed, identities.MINUTES * 60)


@post("/identities", guards=[signed_in], tags=["accounts"])
async def link(request: Request, data: Linked) -> IdentityRow:
    """Finish linking, from the session that began it. 409 when the identity is linked to another account."""
    begun = request.services.part(providers).opened(data.provider, data.transaction)
    return await identities.link(request.services, begun, _answer(data), request.account.id, request.account.session_id)


@delete("/identities/{identity_id:uuid}", guards=[signed_in], tags=["accounts"])
async def unlink(request: Request, identity_id: UUID) -> None:
    """Take an identity away. 409 when it is the only way into the account."""
    async with request.tx() as tx:
        await identities.unlink(tx, request.account.id, identity_id)


def _answer(data: Return) -> Answer:
    return Answer(code=data.code, state=data.state, iss=data.iss)


ROUTES: list[Any] = [offered, begin, sign_in, linked, begin_link, link, unlink]
