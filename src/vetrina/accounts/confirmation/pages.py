"""The page on which an operator confirms a session; it keeps the form that was sent."""

from __future__ import annotations

from typing import Any

from litestar import Response, post

from vetrina.accounts.confirmation import actions
from vetrina.accounts.roles.guards import operator
from vetrina.accounts.web import SIGN_IN_LIMIT
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request

OURS = {"confirm_target", "confirm_password", "confirm_code"}
"""The page's own fields; the others are those of the form that waits."""


@post("/operator/confirmation", guards=[operator], include_in_schema=False, opt=SIGN_IN_LIMIT)
async def confirm(request: Request) -> Response[Any]:
    """Confirm the session and offer to send the kept form."""
    form = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    ours = {name: value for name, value in form if name in OURS}
    target = pages.safe_local_path(ours.get("confirm_target"), "/operator")
    fields = [(name, value) for name, value in form if name not in OURS]
    try:
        await actions.confirm(request, password=ours.get("confirm_password") or None, code=ours.get("confirm_code") or None)
    except Refusal as refusal:
        return actions.page(request, target, fields, refusal=refusal)
    return actions.page(request, target, fields, is_confirmed=True)


ROUTES: list[Any] = [confirm]
