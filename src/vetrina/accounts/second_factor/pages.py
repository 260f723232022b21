"""The security page: what is confirmed, and the second factor."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts import queries as account_queries
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Purpose, WeakPassword
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.second_factor import queries
from vetrina.accounts.second_factor.actions import Enrolment
from vetrina.accounts.sessions import pending_sign_in
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.web import caller, kind
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.web.i18n import say

PATH = "/settings/security"


@get(PATH, guards=[signed_in], include_in_schema=False)
async def security(request: Request) -> Response[str]:
    """Show the identifiers and the second factor."""
    return await render_security(request)


@post(PATH + "/confirmation", guards=[signed_in], include_in_schema=False)
async def request_code(request: Request, data: Form) -> Response[Any]:
    """Send a code to the account's address or phone, and ask for it next."""
    async with request.read() as tx:
        account = await tx.fetch_one(account_queries.ACCOUNT, account=request.account.id)
    by_phone = data.get("channel") == "phone"
    value = account.phone if by_phone else account.email
    if value is None:
        raise NotFound
    to = Identifier("phone" if by_phone else "email", value)
    purpose: Purpose = "phone_verify" if by_phone else "email_verify"
    try:
        await verification.request_code(
            request.services,
            to,
            kind=kind(account.kind),
            purpose=purpose,
            caller=caller(request),
        )
    except Refusal as refusal:
        return await render_security(request, refusal)
    pending = pending_sign_in.for_code(to, kind(account.kind), purpose, PATH, lifetime=verification.LIFETIME)
    return pages.redirect("/verify", cookies=[pending_sign_in.cookie(request.services, pending)])


@post(PATH + "/second-factor", guards=[signed_in], include_in_schema=False)
async def begin(request: Request, data: Form) -> Response[Any]:
    """Create a secret for the authenticator."""
    try:
        await second_factor.begin(request.services, request.account.id, password=data.get("password"))
    except Refusal as refusal:
        return await render_security(request, refusal, form="begin")
    return pages.redirect(f"{PATH}/second-factor")


@get(PATH + "/second-factor", guards=[signed_in], include_in_schema=False)
async def enrolment(request: Request) -> Response[Any]:
    """Show the secret as a QR code and as text, and the field for its first code."""
    unconfirmed = await second_factor.unconfirmed_enrolment(request.services, request.account.id)
    return pages.redirect(PATH) if unconfirmed is None else _enrolment(request, unconfirmed)


@post(PATH + "/second-factor/confirmation", guards=[signed_in], include_in_schema=False)
async def confirm(request: Request, data: Form) -> Response[Any]:
    """Turn it on, and show the recovery codes once."""
    try:
        codes = await second_factor.confirm(
            request.services,
            request.account.id,
            code=data.get("code", ""),
            caller=caller(request),
        )
    except Refusal as refusal:
        unconfirmed = await second_factor.unconfirmed_enrolment(request.services, request.account.id)
        if unconfirmed is None:
            return pages.redirect(PATH, flash=("bad", refusal.message))
        return _enrolment(request, unconfirmed, refusal)
    return _recovery_codes(request, codes)


@post(PATH + "/recovery-codes", guards=[signed_in], include_in_schema=False)
async def renew_recovery_codes(request: Request, data: Form) -> Response[Any]:
    """Replace the recovery codes, and show the new ones once."""
    try:
        codes = await second_factor.renew_recovery_codes(
            request.services, request.account.id, password=data.get("password"), code=data.get("code")
        )
    except Refusal as refusal:
        return await render_security(request, refusal, form="renew")
    return _recovery_codes(request, codes)


@post(PATH + "/second-factor/removal", guards=[signed_in], include_in_schema=False)
async def remove(request: Request, data: Form) -> Response[Any]:
    """Turn it off."""
    try:
        await second_factor.remove(
            request.services,
            request.account.id,
            password=data.get("password"),
            code=data.get("code"),
            caller=caller(request),
        )
    except Refusal as refusal:
        return await render_security(request, refusal, form="remove")
    return pages.redirect(PATH, flash=("good", say("The second factor is off.")))


async def render_security(request: Request, refusal: Refusal | None = None, *, form: str = "", value: str = "") -> Response[str]:
    """Return the security page; `form` is the one that was refused, with the address or number that was typed there."""
    async with request.read() as tx:
        account = await tx.fetch_one(account_queries.ACCOUNT, account=request.account.id)
        factor = await tx.fetch_one(queries.STATE, account=request.account.id)
        proof = await tx.fetch_one(queries.OWNER_PROOF, account=request.account.id)
    messages = pages.errors_of(refusal, ("password", "code", "email", "phone") if form else ())
    if form == "password" and isinstance(refusal, WeakPassword):
        messages = {"new_password": refusal.message}
    return pages.render(
        request,
        "accounts/second_factor/security.html",
        refusal=refusal,
        nav="account",
        email=account.email,
        phone=account.phone,
        email_verified=account.email_verified,
        phone_verified=account.phone_verified,
        factor=factor,
        has_password=proof.password_hash is not None,
        kind=account.kind,
        form=form,
        value=value,
        region=request.services.settings.phone_region,
        errors=messages,
    )


def _enrolment(request: Request, enrolment: Enrolment, refusal: Refusal | None = None) -> Response[str]:
    secret = enrolment.secret
    return pages.render(
        request,
        "accounts/second_factor/enrol.html",
        refusal=refusal,
        nav="account",
        picture=second_factor.data_url(enrolment),
        uri=enrolment.uri,
        groups=[secret[start : start + 4] for start in range(0, len(secret), 4)],
        fields=("code",),
    )


def _recovery_codes(request: Request, codes: list[str]) -> Response[str]:
    page = pages.render(request, "accounts/second_factor/recovery.html", nav="account", codes=codes)
    page.headers["Cache-Control"] = "no-store"
    return page


ROUTES: list[Any] = [security, request_code, begin, enrolment, confirm, renew_recovery_codes, remove]
