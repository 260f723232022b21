"""Pages of account administration, and the operators' front page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from vetrina.accounts import user_agents
from vetrina.accounts.model import OPERATORS
from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.operator import figures
from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles import queries as profile_queries
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.roles.guards import operator, superuser
from vetrina.accounts.second_factor import queries as factor_queries
from vetrina.accounts.sessions import queries as session_queries
from vetrina.accounts.storage import actions as storage
from vetrina.accounts.storage.model import InvalidStorageLimit
from vetrina.core import checks
from vetrina.core.checks import Site
from vetrina.core.errors import Invalid, Refusal, Unavailable
from vetrina.core.module import Figure
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.web import i18n
from vetrina.web.i18n import say

PAGE_SIZE = 30
STATES = [
    {"value": "active", "title": "Active"},
    {"value": "disabled", "title": "Disabled"},
    {"value": "erased", "title": "Erased"},
]
ROLES = [{"value": role.value, "title": role.value.capitalize()} for role in Role]


@get("/operator", guards=[operator], include_in_schema=False)
async def home(request: Request) -> Response[str]:
    """Show the operators' pages, and the state of the site."""
    services, now = request.services, figures.utc_now()
    loaded: list[Figure] = []
    try:
        async with request.read() as tx:
            results = await checks.run(Site(services.settings, services.modules, tx))
            loaded = await figures.load(tx, services.modules, now)
    except Unavailable:
        results = await checks.run(Site(services.settings, services.modules, None))
    results.sort(key=lambda check: ("failure", "warning", "ok").index(check.state))
    return pages.render(
        request,
        "accounts/operator/home.html",
        nav="operator",
        checks=results,
        figures=[figures.present(item, now) for item in loaded],
    )


@get("/operator/accounts", guards=[operator], include_in_schema=False)
async def search(
    request: Request,
    q: str = "",
    role: str = "",
    account_state: Annotated[str, QueryParameter(name="state")] = "",
    cursor: Cursor = None,
) -> Response[str]:
    """Show accounts by a prefix of address, phone, handle or name, by role and state."""
    text = q[:254]
    role = role if role in set(Role) else ""
    state = account_state if account_state in {choice["value"] for choice in STATES} else ""
    async with request.read() as tx:
        page = await accounts.search(tx, text, cursor, PAGE_SIZE, role=role or None, state=state or None)
    filters = {"q": text, "role": role, "state": state}
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
        older=page.older("/operator/accounts", filters),
    )


@get("/operator/accounts/{account_id:uuid}", guards=[operator], include_in_schema=False)
async def show_account(request: Request, account_id: UUID) -> Response[str]:
    """Show an account with its sessions and what can be done."""
    return await render_account(request, account_id)


@post("/operator/accounts/{account_id:uuid}/disabling", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def disable(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Disable an account, with a reason."""
    why = data.get("why", "").strip()
    try:
        if not 1 <= len(why) <= 400:
            raise Invalid("Give a reason of up to 400 characters; the audit log stores it.")
        async with request.tx() as tx:
            await accounts.disable(tx, request.account, account_id, why=why)
    except Refusal as refusal:
        return await render_account(request, account_id, values={"why": why}, refusal=refusal)
    return _back(account_id, say("Disabled, and signed out everywhere."))


@post("/operator/accounts/{account_id:uuid}/enabling", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def enable(request: Request, account_id: UUID) -> Redirect:
    """Enable a disabled account."""
    async with request.tx() as tx:
        await accounts.enable(tx, request.account, account_id)
    return _back(account_id, say("Enabled."))


@post("/operator/accounts/{account_id:uuid}/sessions/revocation", guards=[operator], include_in_schema=False)
async def sign_out(request: Request, account_id: UUID) -> Redirect:
    """End every session of an account."""
    async with request.tx() as tx:
        count = await accounts.sign_out(tx, request.account, account_id)
    return _back(account_id, i18n.count("{n} session has ended.", "{n} sessions have ended.", count))


@post("/operator/accounts/{account_id:uuid}/roles", guards=[superuser], include_in_schema=False, opt=CONFIRMED)
async def set_role(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Grant the role in the field `grant`, or revoke the one in `revoke`."""
    try:
        async with request.tx() as tx:
            if (role := data.get("grant")) in set(Role):
                await accounts.grant_role(tx, account_id, Role(role))
            elif (role := data.get("revoke")) in set(Role):
                await accounts.get_account(tx, account_id)
                await roles.revoke(tx, account_id, Role(role))
            else:
                raise Invalid("There is no such role.")
    except Refusal as refusal:
        return await render_account(request, account_id, refusal=refusal)
    return _back(account_id, say("The roles are changed."))


@post("/operator/accounts/{account_id:uuid}/second-factor-removal", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def remove_second_factor(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Remove a lost second factor after three days, or cancel that."""
    try:
        async with request.tx() as tx:
            if data.get("cancel"):
                await accounts.cancel_second_factor_removal(tx, request.account, account_id)
            else:
                await accounts.request_second_factor_removal(tx, request.services, request.account, account_id)
    except Refusal as refusal:
        return await render_account(request, account_id, refusal=refusal)
    return _back(account_id, say("Cancelled.") if data.get("cancel") else say("The second factor is removed in three days."))


@post("/operator/accounts/{account_id:uuid}/verification", guards=[operator], include_in_schema=False)
async def verify(request: Request, account_id: UUID, data: Form) -> Redirect:
    """Verify the business, or remove its verification."""
    verified = data.get("verified") == "1"
    async with request.tx() as tx:
        await profiles.verify_vendor(tx, account_id, verified=verified)
    return _back(account_id, say("The business is verified.") if verified else say("The business is no longer verified."))


@post("/operator/accounts/{account_id:uuid}/storage", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def set_storage_limit(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Set the account's own storage limit in megabytes; an empty field restores the site's default."""
    text = data.get("storage_mb", "").strip()
    try:
        if text and not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            raise InvalidStorageLimit
        async with request.tx() as tx:
            await storage.set_limit(tx, account_id, int(text) if text else None)
    except InvalidStorageLimit as refusal:
        return await render_account(request, account_id, refusal=refusal)
    return _back(account_id, say("The storage limit is changed."))


async def render_account(
    request: Request, account_id: UUID, *, values: Mapping[str, str] | None = None, refusal: Refusal | None = None
) -> Response[str]:
    """Render an account's page with the modules' sections. `values` are those of a form that was refused."""
    async with request.read() as tx:
        account = await accounts.get_account(tx, account_id)
        rows = await tx.fetch_all(session_queries.LIVE_SESSIONS, account=account_id)
        factor = await tx.fetch_one(factor_queries.STATE, account=account_id)
        removal_due_at = await tx.fetch_optional(factor_queries.REMOVAL_DUE_AT, account=account_id)
        business = await tx.fetch_optional(profile_queries.BUSINESS, account=account_id)
        stored = await storage.limit(tx, account_id)
        sections = [
            {"template": template, "data": await load(tx, account_id)}
            for template, load in request.services.modules.account_sections
        ]
    is_superuser = "superuser" in request.account.roles
    is_operator = not OPERATORS.isdisjoint(account.roles)
    return pages.render(
        request,
        "accounts/operator/account.html",
        refusal=refusal,
        nav="operator",
        person=account,
        business=business,
        storage=stored,
        second_factor=factor.enabled,
        removal_due_at=removal_due_at,
        sessions=[
            {"device": user_agents.title(row.user_agent), "ip": row.ip or "unknown address", "last_used_at": row.last_used_at}
            for row in rows
        ],
        superuser=is_superuser,
        manageable=account.id != request.account.id and (is_superuser or not is_operator),
        roles=ROLES,
        values={"why": "", **(values or {})},
        sections=sections,
        error=refusal.message if refusal else None,
    )


def _back(account_id: UUID, message: str) -> Redirect:
    return pages.redirect(f"/operator/accounts/{account_id}", flash=("good", message))


ROUTES: list[Any] = [home, search, show_account, disable, enable, sign_out, set_role, remove_second_factor, verify,
                     set_storage_limit]  # fmt: skip
