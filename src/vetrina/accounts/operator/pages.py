"""The operator's pages of accounts, and the front page of them all."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from vetrina.accounts import queries
from vetrina.accounts.operator import actions as operators
from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles import queries as queries_profiles
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.roles.guards import operator, superuser
from vetrina.accounts.sessions import user_agents as devices
from vetrina.core.errors import Invalid, Refusal
from vetrina.core.web import pages, paging
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request

SHOWN = 30
STATES = [
    {"value": "active", "title": "Active"},
    {"value": "disabled", "title": "Disabled"},
    {"value": "erased", "title": "Erased"},
]
ROLES = [{"value": each.value, "title": each.value.capitalize()} for each in Role]


@get("/operator", guards=[operator], include_in_schema=False, sync_to_thread=False)
def places(request: Request) -> Response[str]:
    """Where an operator can go."""
    return pages.render(request, "accounts/operator/home.html", nav="operator")


@get("/operator/accounts", guards=[operator], include_in_schema=False)
async def search(
    request: Request,
    q: str = "",
    role: str = "",
    standing: Annotated[str, QueryParameter(name="state")] = "",
    cursor: Cursor = None,
) -> Response[str]:
    """Accounts by how an address, phone, handle or name begins, by role and state."""
    text = q[:254]
    role = role if role in set(Role) else ""
    state = standing if standing in {each["value"] for each in STATES} else ""
    async with request.read() as tx:
        rows = await operators.search(
            tx, text, role=role or None, state=state or None, before=paging.after(cursor), limit=SHOWN + 1
        )
    page = paging.page(rows, SHOWN, lambda row: row.id, lambda row: row)
    filters = {"q": text, "role": role, "state": state, "cursor": page.next_cursor}
    return pages.render(
        request,
        "accounts/operator/accounts.html",
        nav="operator",
        accounts=page.items,
        q=text,
        roles=ROLES,
        role=role,
        states=STATES,
        state=state,
        older=f"/operator/accounts?{urlencode(filters)}" if page.next_cursor else None,
    )


@get("/operator/accounts/{account_id:uuid}", guards=[operator], include_in_schema=False)
async def account(request: Request, account_id: UUID) -> Response[str]:
    """One account: who it is, where it is signed in, what can be done."""
    return await _account(request, account_id)


@post("/operator/accounts/{account_id:uuid}/disabling", guards=[operator], include_in_schema=False)
async def disable(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Disable it, with a reason."""
    why = data.get("why", "").strip()
    try:
        if not 1 <= len(why) <= 400:
            raise Invalid("Say why, in up to 400 characters; the audit log keeps it.")
        async with request.tx() as tx:
            await operators.disable(tx, request.account, account_id, why=why)
    except Refusal as refused:
        return await _account(request, account_id, why=why, refused=refused)
    return _back(account_id, "Disabled, and signed out everywhere.")


@post("/operator/accounts/{account_id:uuid}/enabling", guards=[operator], include_in_schema=False)
async def enable(request: Request, account_id: UUID) -> Redirect:
    """Let it sign in again."""
    async with request.tx() as tx:
        await operators.enable(tx, request.account, account_id)
    return _back(account_id, "Enabled.")


@post("/operator/accounts/{account_id:uuid}/sessions/revocation", guards=[operator], include_in_schema=False)
async def sign_out(request: Request, account_id: UUID) -> Redirect:
    """End every session of it."""
    async with request.tx() as tx:
        count = await operators.sign_out(tx, request.account, account_id)
    return _back(account_id, "One session has ended." if count == 1 else f"{count} sessions have ended.")


@post("/operator/accounts/{account_id:uuid}/roles", guards=[superuser], include_in_schema=False)
async def give_or_take(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Give the role `grant`, or take the role `revoke`."""
    try:
        async with request.tx() as tx:
            if (role := data.get("grant")) in set(Role):
                await operators.grant(tx, account_id, Role(role))
            elif (role := data.get("revoke")) in set(Role):
                await operators.account(tx, account_id)
                await roles.revoke(tx, account_id, Role(role))
            else:
                raise Invalid("There is no such role.")
    except Refusal as refused:
        return await _account(request, account_id, refused=refused)
    return _back(account_id, "The roles are changed.")


@post("/operator/accounts/{account_id:uuid}/verification", guards=[operator], include_in_schema=False)
async def verify(request: Request, account_id: UUID, data: Form) -> Redirect:
    """Give the business the badge, or take it away."""
    verified = data.get("verified") == "1"
    async with request.tx() as tx:
        await profiles.verify_vendor(tx, account_id, verified=verified)
    return _back(account_id, "The business is verified." if verified else "The business is no longer verified.")


async def _account(request: Request, account_id: UUID, *, why: str = "", refused: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        found = await operators.account(tx, account_id)
        rows = await tx.all(queries.SESSIONS, account=account_id)
        business = await tx.maybe(queries_profiles.BUSINESS, account=account_id)
    operates = bool({"superuser", "admin"} & set(found.roles))
    return pages.render(
        request,
        "accounts/operator/account.html",
        status=refused.status if refused else 200,
        nav="operator",
        person=found,
        business=business,
        sessions=[
            {"device": devices.title(row.user_agent), "ip": row.ip or "unknown address", "last_used_at": row.last_used_at}
            for row in rows
        ],
        superuser=_super(request),
        touchable=found.id != request.account.id and (_super(request) or not operates),
        roles=ROLES,
        values={"why": why},
        error=refused.message if refused else None,
    )


def _back(account_id: UUID, said: str) -> Redirect:
    return pages.go(f"/operator/accounts/{account_id}", flash=("good", said))


def _super(request: Request) -> bool:
    return "superuser" in request.account.roles


ROUTES: list[Any] = [places, search, account, disable, enable, sign_out, give_or_take, verify]
