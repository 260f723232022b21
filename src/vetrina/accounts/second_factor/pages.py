"""The security page: what is confirmed, and the second factor."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts import identifiers, queries
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.second_factor import queries as queries_factor
from vetrina.accounts.second_factor.actions import Enrolment
from vetrina.accounts.sessions import pending_sign_in as waiting
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification.actions import Purpose
from vetrina.accounts.web import device, errors, kind, language
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in

HERE = "/settings/security"


@get(HERE, guards=[signed_in], include_in_schema=False)
async def security(request: Request) -> Response[str]:
    """The page."""
    return await _page(request)


@post(HERE + "/confirmation", guards=[signed_in], include_in_schema=False)
async def ask(request: Request, data: Form) -> Response[Any]:
    """Send a code to one's address or phone, and ask for it next."""
    async with request.read() as tx:
        account = await tx.one(queries.ACCOUNT, account=request.account.id)
    by_phone = data.get("channel") == "phone"
    value = account.phone if by_phone else account.email
    if value is None:
        raise NotFound
    to = identifiers.Identifier("phone" if by_phone else "email", value)
    purpose: Purpose = "phone_verify" if by_phone else "email_verify"
    try:
        await codes.ask(
            request.services,
            to,
            kind=kind({"kind": account.kind}),
            purpose=purpose,
            language=language(request),
            address=device(request).ip,
        )
    except Refusal as refused:
        return await _page(request, refused)
    there = waiting.for_code(to, kind({"kind": account.kind}), purpose, HERE)
    return pages.go("/verify", cookies=[waiting.cookie(request.services, there)])


@post(HERE + "/second-factor", guards=[signed_in], include_in_schema=False)
async def begin(request: Request, data: Form) -> Response[Any]:
    """A secret for the authenticator."""
    try:
        await second_factor.begin(request.services, request.account.id, password=data.get("password"))
    except Refusal as refused:
        return await _page(request, refused, form="begin")
    return pages.go(f"{HERE}/second-factor")


@get(HERE + "/second-factor", guards=[signed_in], include_in_schema=False)
async def enrolling(request: Request) -> Response[Any]:
    """The secret as a picture and as text, and the field for its first code."""
    begun = await second_factor.begun(request.services, request.account.id)
    return pages.go(HERE) if begun is None else _enrolling(request, begun)


@post(HERE + "/second-factor/confirmation", guards=[signed_in], include_in_schema=False)
async def confirm(request: Request, data: Form) -> Response[Any]:
    """Turn it on, and show the recovery codes this once."""
    try:
        fresh = await second_factor.confirm(
            request.services,
            request.account.id,
            code=data.get("code", ""),
            language=language(request),
            actor=request.actor,
        )
    except Refusal as refused:
        begun = await second_factor.begun(request.services, request.account.id)
        return pages.go(HERE, flash=("bad", refused.message)) if begun is None else _enrolling(request, begun, refused)
    return _recovery(request, fresh)


@post(HERE + "/recovery-codes", guards=[signed_in], include_in_schema=False)
async def renew(request: Request, data: Form) -> Response[Any]:
    """New recovery codes, shown this once."""
    try:
        fresh = await second_factor.renew(
            request.services, request.account.id, password=data.get("password"), code=data.get("code")
        )
    except Refusal as refused:
        return await _page(request, refused, form="renew")
    return _recovery(request, fresh)


@post(HERE + "/second-factor/removal", guards=[signed_in], include_in_schema=False)
async def remove(request: Request, data: Form) -> Response[Any]:
    """Turn it off."""
    try:
        await second_factor.remove(
            request.services,
            request.account.id,
            password=data.get("password"),
            code=data.get("code"),
            language=language(request),
            actor=request.actor,
        )
    except Refusal as refused:
        return await _page(request, refused, form="remove")
    return pages.go(HERE, flash=("good", "The second factor is off."))


async def _page(request: Request, refused: Refusal | None = None, *, form: str = "") -> Response[str]:
    async with request.read() as tx:
        account = await tx.one(queries.ACCOUNT, account=request.account.id)
        factor = await tx.one(queries_factor.STATE, account=request.account.id)
        proof = await tx.one(queries_factor.PROOF, account=request.account.id)
    said = errors(refused, ("password", "code") if form else ())
    page = pages.render(
        request,
        "accounts/second_factor/security.html",
        status=refused.status if refused else 200,
        nav="account",
        email=account.email,
        phone=account.phone,
        email_verified=account.email_verified,
        phone_verified=account.phone_verified,
        factor=factor,
        has_password=proof.password_hash is not None,
        kind=account.kind,
        form=form,
        errors=said,
    )
    page.headers.update(refused.headers if refused else {})
    return page


def _enrolling(request: Request, begun: Enrolment, refused: Refusal | None = None) -> Response[str]:
    groups = [begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4)]
    page = pages.render(
        request,
        "accounts/second_factor/enrol.html",
        status=refused.status if refused else 200,
        nav="account",
        picture=second_factor.data_url(begun),
        uri=begun.uri,
        groups=groups,
        errors=errors(refused, ("code",)),
    )
    page.headers.update(refused.headers if refused else {})
    return page


def _recovery(request: Request, fresh: list[str]) -> Response[str]:
    page = pages.render(request, "accounts/second_factor/recovery.html", nav="account", codes=fresh)
    page.headers["Cache-Control"] = "no-store"
    return page


ROUTES: list[Any] = [security, ask, begin, enrolling, confirm, renew, remove]
