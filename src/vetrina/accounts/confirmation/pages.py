"""The page on which one confirms a session; it keeps the form that was sent."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.datastructures import FormMultiDict

from vetrina.accounts.confirmation import actions
from vetrina.accounts.confirmation.model import PasswordConfirmationRequired
from vetrina.accounts.web import SIGN_IN_LIMIT
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in

Fields = list[tuple[str, str]]
OURS = {"confirm_target", "confirm_password", "confirm_code"}
"""The page's own fields; the others are those of the form that waits."""


@post("/confirmation", guards=[signed_in], include_in_schema=False, opt=SIGN_IN_LIMIT)
async def confirm(request: Request) -> Response[Any]:
    """Confirm the session and offer to send the form that waits."""
    form = texts(await request.form())
    ours = {name: value for name, value in form if name in OURS}
    target = pages.safe_local_path(ours.get("confirm_target"), "/account")
    fields = [(name, value) for name, value in form if name not in OURS]
    password, code = ours.get("confirm_password") or None, ours.get("confirm_code") or None
    try:
        await actions.confirm(request.services, request.account, password=password, code=code, actor=request.actor)
    except Refusal as refusal:
        return ask(request, target, fields, refusal)
    return ask(request, target, fields, None)


def texts(form: FormMultiDict) -> Fields:
    """Return the fields of a form that are text."""
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def ask(request: Request, target: str, fields: Fields, refusal: Refusal | None) -> Response[str]:
    """Render the page that asks for the password or, without a refusal, sends `fields` to the local path `target`."""
    return pages.render(
        request,
        "accounts/confirmation/confirmation.html",
        refusal=refusal,
        nav="operator" if target.startswith("/operator") else "account",
        target=target,
        waiting_fields=fields,
        is_confirmed=refusal is None,
        error=None if refusal is None or isinstance(refusal, PasswordConfirmationRequired) else refusal.message,
    )


ROUTES: list[Any] = [confirm]
