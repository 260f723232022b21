"""The operator's webhook log: received events, their outcome, and replay."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import Parameter
from litestar.response import Redirect

from vetrina.accounts.roles.guards import operator
from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.errors import Invalid
from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.payments.webhooks import actions as told
from vetrina.payments.webhooks import queries
from vetrina.payments.webhooks.event_types import STRIPE_EVENTS
from vetrina.payments.webhooks.queries import Logged
from vetrina.web import i18n
from vetrina.web.i18n import N_

SHOWN = 50
OUTCOMES = {
    "failed": ("wait", N_("Failed, tried again")),
    "dead": ("bad", N_("Given up")),
    "waiting": ("wait", N_("Waiting")),
    "applied": ("good", N_("Applied")),
    "ignored": ("off", N_("Nothing to do")),
}
Text = Annotated[str, Parameter(max_length=255)]


@get("/operator/webhooks", guards=[operator], include_in_schema=False)
async def log(request: Request, outcome: Text = "", type: Text = "", object: Text = "", cursor: Text = "") -> Response[str]:
    """Render events, newest first, filtered by outcome, type prefix, or id of the event or its object."""
    outcome = outcome if outcome in OUTCOMES else ""
    before, before_id = _after(cursor)
    async with request.read() as tx:
        rows = await tx.fetch_all(
            queries.LOG,
            told=list(STRIPE_EVENTS),
            outcome=outcome or None,
            type=_begins(type),
            object=object.strip() or None,
            before=before,
            before_id=before_id,
            limit=SHOWN + 1,
        )
        counts = {row.outcome: row.count for row in await tx.fetch_all(queries.COUNTS)}
    filters = {"outcome": outcome, "type": type, "object": object}
    page: Page[Logged] = paging.split(rows, SHOWN, _cursor)
    return pages.render(
        request,
        "payments/webhooks/events.html",
        nav="operator",
        events=page.items,
        words=OUTCOMES,
        outcomes=[{"value": value, "title": i18n.say(title)} for value, (_, title) in OUTCOMES.items()],
        filters=filters,
        counts=counts,
        older=page.older("/operator/webhooks", filters),
    )


@get("/operator/webhooks/{event_id:str}", guards=[operator], include_in_schema=False)
async def one(request: Request, event_id: str) -> Response[str]:
    """Render one event: its attempts, its body, its object."""
    async with request.read() as tx:
        event = await tx.fetch_one(queries.ONE, id=event_id, told=list(STRIPE_EVENTS))
        body = await tx.fetch_one(queries.BODY, id=event_id)
        others = await tx.fetch_all(
            queries.LOG,
            told=list(STRIPE_EVENTS),
            outcome=None, type=None, object=event.object_id, before=datetime.max.replace(tzinfo=UTC),
            before_id="~", limit=20,
        ) if event.object_id else []  # fmt: skip
    return pages.render(
        request,
        "payments/webhooks/event.html",
        nav="operator",
        event=event,
        words=OUTCOMES,
        body=body,
        others=[item for item in others if item.id != event.id],
        tries=told.TRIES,
    )


@post("/operator/webhooks/replays", guards=[operator], include_in_schema=False)
async def replay(request: Request) -> Redirect:
    """Replay the chosen events, or every event that failed permanently."""
    form = await request.form()
    chosen = [str(item) for item in form.getall("event", [])]
    if form.get("all") == "dead":
        count = await told.replay_all(request.services)
    elif chosen:
        count = len(await told.replay(request.services, chosen))
    else:
        raise Invalid("Choose which events to apply again.")
    message = i18n.count("{n} event is being applied again.", "{n} events are being applied again.", count)
    return pages.redirect(pages.safe_local_path(str(form.get("next") or ""), "/operator/webhooks"), flash=("good", message))


def _begins(type: str) -> str | None:
    text = type.strip()
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" if text else None


def _cursor(row: Logged) -> str:
    return base64.urlsafe_b64encode(f"{row.at.timestamp()} {row.id}".encode()).decode()


def _after(cursor: str) -> tuple[datetime, str]:
    """Return the position where a page starts. Raises Invalid (422) for a cursor that we did not make."""
    if not cursor:
        return datetime.max.replace(tzinfo=UTC), "~"
    try:
        at, _, name = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        return datetime.fromtimestamp(float(at), UTC), name
    except (ValueError, OverflowError, OSError):
        raise Invalid("This cursor is not one of ours; leave it out to begin at the newest.") from None


ROUTES: list[Any] = [log, one, replay]
