"""The operator's payments: search, one payment, refunds."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import Parameter, QueryParameter

from vetrina.accounts.roles.guards import operator
from vetrina.core.database import paging
from vetrina.core.database.ids import AccountId, new_id, read_id
from vetrina.core.errors import Invalid, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import confirmed_if
from vetrina.payments import queries
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.model import GatewayFailed, Status
from vetrina.payments.operator import queries as queries_operator
from vetrina.payments.refunds import actions as refunds
from vetrina.payments.settlement import actions
from vetrina.web import formatting as words
from vetrina.web.i18n import N_, say
from vetrina.web.money import BadAmount, UnknownCurrency, exponent, parse_amount, plain_amount

SHOWN = 50
KINDS = [
    {"value": "tokens", "title": N_("Tokens")},
    {"value": "contacts", "title": N_("Contacts")},
    {"value": "posting", "title": N_("Postings")},
    {"value": "plan", "title": N_("Plans")},
    {"value": "order", "title": N_("Orders")},
]
STATES = [{"value": status.value, "title": status.value.capitalize()} for status in Status]
Text = Annotated[str, Parameter(max_length=254)]


@get("/operator/payments", guards=[operator], include_in_schema=False)
async def search(
    request: Request,
    q: Text = "",
    standing: Annotated[str, QueryParameter(name="state")] = "",
    gateway: Text = "",
    kind: Text = "",
    since: Text = "",
    until: Text = "",
    cursor: Cursor = None,
) -> Response[str]:
    """Search payments by buyer, reference or receipt number; filter by status, gateway, kind and date."""
    gateways = [{"value": item.name, "title": say(item.title)} for item in request.services.get(Gateways).all()]
    state = standing if standing in set(Status) else ""
    filters = {"q": q.strip(), "state": state, "gateway": gateway, "kind": kind, "since": since, "until": until}
    errors = {
        name: say("Write a day as 2026-11-21.") for name in ("since", "until") if filters[name] and _day(filters[name]) is None
    }
    async with request.read() as tx:
        page = await paging.fetch(
            tx,
            queries_operator.LIST,
            cursor,
            SHOWN,
            status=state or None,
            gateway=gateway or None,
            kind=kind or None,
            q=filters["q"] or None,
            since=_day(since),
            until=_day(until),
        )
    return pages.render(
        request,
        "payments/operator/payments.html",
        nav="operator",
        payments=page.items,
        filters=filters,
        errors=errors,
        states=[{**state, "title": say(state["title"])} for state in STATES],
        gateways=gateways,
        kinds=[{**kind, "title": say(kind["title"])} for kind in KINDS],
        older=page.older("/operator/payments", filters),
    )


@get("/operator/payments/{account_id:uuid}/{payment_id:uuid}", guards=[operator], include_in_schema=False)
async def one(request: Request, account_id: UUID, payment_id: UUID) -> Response[str]:
    """Render one payment with its timeline."""
    return await _one(request, account_id, payment_id)


async def is_large(request: Request) -> bool:
    """Return whether refunding the payment of a request asks for the password: over `payments.confirm_refunds_above`."""
    place = request.path_params
    async with request.read() as tx:
        limit = await tx.fetch_one(queries_operator.CONFIRM_ABOVE)
        payment = await tx.fetch_one(queries.ONE, account=AccountId(place["account_id"]), id=place["payment_id"])
    return payment.amount > limit * 10 ** exponent(payment.currency)


@post(
    "/operator/payments/{account_id:uuid}/{payment_id:uuid}/refunds",
    guards=[operator],
    include_in_schema=False,
    opt=confirmed_if(is_large),
)
async def refund(request: Request, account_id: UUID, payment_id: UUID, data: Form) -> Response[Any]:
    """Refund a payment; the page's own id makes a double click one refund."""
    async with request.read() as tx:
        payment = await tx.fetch_one(queries.ONE, account=AccountId(account_id), id=payment_id)
    try:
        amount = _amount(data.get("amount", ""), payment.currency)
        why = data.get("reason", "").strip()[:400] or None
        refund_ = await refunds.ask(request.services, payment, amount, id=_id(data.get("id")), reason=why, by=request.account.id)
    except Refusal as refused:
        return await _one(
            request, account_id, payment_id, values={"id": str(new_id()), "amount": "", "reason": "", **data}, refused=refused
        )
    sum = words.money(refund_.amount, payment.currency)
    messages = {
        "asked": ("wait", f"The gateway does not answer just now. It is asked again for {sum} until it does."),
        "failed": ("bad", refund_.error or "The gateway does not pay this back."),
    }.get(refund_.status, ("good", f"{sum} goes back to the buyer."))
    return pages.redirect(f"/operator/payments/{account_id}/{payment_id}", flash=messages)


@post("/operator/payments/{account_id:uuid}/{payment_id:uuid}/inquiry", guards=[operator], include_in_schema=False)
async def inquire(request: Request, account_id: UUID, payment_id: UUID) -> Response[Any]:
    """Poll the gateway about a payment."""
    async with request.read() as tx:
        payment = await tx.fetch_one(queries.ONE, account=AccountId(account_id), id=payment_id)
        ref = await tx.fetch_optional(queries.REF, account=AccountId(account_id), id=payment_id)
    try:
        word = await actions.ask(request.services, payment, ref) if ref else None
        message = ("info", f"The gateway says: {word.said.value}." if word else "Its checkout was never opened.")
    except GatewayFailed as failed:
        message = ("bad", failed.message)
    return pages.redirect(f"/operator/payments/{account_id}/{payment_id}", flash=message)


async def _one(
    request: Request, account_id: UUID, payment_id: UUID, *, values: dict[str, str] | None = None, refused: Refusal | None = None
) -> Response[str]:
    account = AccountId(account_id)
    async with request.read() as tx:
        payment = await tx.fetch_one(queries.ONE, account=account, id=payment_id)
        buyer = await tx.fetch_one(queries_operator.BUYER, account=account, id=payment_id)
        story = await tx.fetch_all(queries_operator.STORY, account=account, id=payment_id)
    left = payment.amount - payment.refunded - payment.disputed if payment.paid_at else 0
    left -= sum(row.amount for row in story if row.what == "refund" and row.status == "asked")
    gateway = request.services.get(Gateways).get(payment.gateway)
    return pages.render(
        request,
        "payments/operator/payment.html",
        refusal=refused,
        fields=("amount",),
        nav="operator",
        payment=payment,
        gateway=say(gateway.title) if gateway else payment.gateway,
        buyer=buyer,
        story=story,
        left=left,
        values=values or {"id": str(new_id()), "amount": plain_amount(max(left, 0), payment.currency), "reason": ""},
    )


def _amount(text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except (BadAmount, UnknownCurrency) as error:
        raise _RefundAmountInvalid(str(error)) from None


class _RefundAmountInvalid(Invalid):
    """This is not an amount of money."""

    field = "amount"


def _id(text: str | None) -> UUID:
    value = read_id(text)
    if value is None:
        raise Invalid("Open the page of the payment again.")
    return value


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


ROUTES: list[Any] = [search, one, refund, inquire]
