"""Pages of payments: the shop counter, what was paid, the page that waits, and the test checkout."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from litestar import Response, get, post
from litestar.params import Parameter

from vetrina.core.idempotency import Turn
from vetrina.core.ids import new_id
from vetrina.core.refusals import Invalid, NotFound, Refusal
from vetrina.core.web import pages, paging
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.payments import actions, queries, sandbox
from vetrina.payments.gateways import gateways
from vetrina.payments.goods import Purchase
from vetrina.payments.model import PaymentRow, Status, UnknownPack, goods
from vetrina.wallet import queries as wallet
from vetrina.wallet.model import Asset, Pack

Item = TypeVar("Item")

SHOWN = 50
LONG = timedelta(minutes=1)
"""How long a payment is waited for before the page says that it is taking long."""
PATH_LIMIT = 1000
"""Characters of the path that one goes on to after paying."""


@get("/wallet/buy", guards=[signed_in], include_in_schema=False)
async def shop(
    request: Request,
    needed: Annotated[int | None, Parameter(ge=0, le=1_000_000_000)] = None,
    next: str | None = None,
    currency: Annotated[str, Parameter(max_length=3)] = "",
) -> Response[str]:
    """Packs, and how to pay for them."""
    return await _shop(request, needed=needed or None, next=next, currency=currency)


@post("/wallet/buy", guards=[signed_in], include_in_schema=False)
async def buy(request: Request) -> Response[Any]:
    """Go to the checkout; who comes back from one that was left finds the same one again."""
    account = request.account.id
    form = await request.form()
    pack, gateway, next = (str(form.get(name) or "") for name in ("pack_id", "gateway", "next"))
    return_url = _on(next)
    try:
        purchase = Purchase(pack_id=_pack(pack), gateway=gateway or None)
        if any(each.name == gateway for each in request.services.part(gateways).offered()):
            place = {"account": account, "pack": purchase.pack_id, "gateway": gateway, "return_url": return_url}
            async with request.read() as tx:
                left = await tx.maybe(queries.OPEN_CHECKOUT, **place)
            if left is not None and left.checkout_url:
                return pages.go(left.checkout_url)
        payment = await actions.start(request.services, account, purchase, Turn(new_id()), return_url=return_url)
        return pages.go(payment.checkout_url or f"/payments/{payment.id}")
    except Refusal as refused:
        errors = {refused.field or "": refused.message}
        status = refused.status
    return await _shop(request, next=next, pack=pack, gateway=gateway, errors=errors, status=status)


@get("/payments", guards=[signed_in], include_in_schema=False)
async def history(request: Request, cursor: Cursor = None) -> Response[str]:
    """Every payment, the newest first."""
    before = paging.after(cursor)
    async with request.read() as tx:
        rows = await tx.all(queries.HISTORY, account=request.account.id, before=before, status=None, limit=SHOWN + 1)
    page = paging.page(rows, SHOWN, lambda row: row.id, lambda row: _payment(request, row))
    older = f"/payments?cursor={page.next_cursor}" if page.next_cursor else None
    return pages.render(request, "payments/history.html", nav="wallet", payments=page.items, older=older)


@get("/payments/{payment_id:uuid}", guards=[signed_in], include_in_schema=False)
async def one(request: Request, payment_id: UUID) -> Response[str]:
    """Where gateways send people back to: it waits, and then says how it went."""
    async with request.read() as tx:
        row = await tx.one(queries.ONE, account=request.account.id, id=payment_id)
    pending = row.status == Status.PENDING
    return pages.render(
        request,
        "payments/payment.html",
        nav="wallet",
        payment=_payment(request, row),
        long=pending and datetime.now(UTC) - row.created_at > LONG,
        checkout_url=row.checkout_url if pending else None,
        next=_on(row.return_url),
    )


@get("/payments/sandbox/{token:str}", include_in_schema=False)
async def checkout(request: Request, token: str) -> Response[str]:
    """The test checkout. Whoever has its address may end it, signed in or not."""
    row = await _by_token(request, token)
    payment = _payment(request, row)
    return pages.render(request, "payments/sandbox.html", payment=payment, settled=row.status != Status.PENDING)


@post("/payments/sandbox/{token:str}", include_in_schema=False)
async def outcome(request: Request, token: str) -> Response[Any]:
    """The bank's word, as chosen. 422 for an outcome that there is not."""
    row = await _by_token(request, token)
    word = sandbox.word(str((await request.form()).get("outcome") or ""), row)
    if word is None:
        raise Invalid("Choose how the payment shall end: paid, declined or cancelled.")
    async with request.tx() as tx:
        await actions.hear(tx, row, word)
    return pages.go(f"/payments/{row.id}")


async def _by_token(request: Request, token: str) -> PaymentRow:
    if not request.services.settings.sandbox or not sandbox.is_token(token):
        raise NotFound
    async with request.read() as tx:
        return await tx.one(queries.BY_REF, gateway=sandbox.Sandbox.name, ref=token)


async def _shop(
    request: Request,
    *,
    next: str | None,
    needed: int | None = None,
    pack: str = "",
    gateway: str = "",
    currency: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    async with request.read() as tx:
        sold = [each for each in await tx.all(wallet.PACKS) if each.asset == Asset.TOKEN]
    currencies = list(dict.fromkeys(each.currency for each in sold))
    chosen = _first((each.currency for each in sold if str(each.id) == pack), currency)
    currency = chosen if chosen in currencies else _first(currencies, "")
    packs = [each for each in sold if each.currency == currency]
    known = request.services.part(gateways).offered()
    ways = [
        {
            "name": each.name,
            "title": each.title,
            "about": each.about,
            "available": not packs or each.takes(currency),
        }
        for each in known
    ]
    if not any(str(each.id) == pack for each in packs):
        pack = _fitting(packs, needed or 0)
    if not any(way["name"] == gateway for way in ways):
        gateway = str(_first((way for way in ways if way["available"]), ways[0])["name"]) if ways else ""
    return pages.render(
        request,
        "payments/buy.html",
        status=status,
        nav="wallet",
        forms=[site for each in known for site in each.sites],
        packs=_priced(packs),
        currencies=currencies if len(currencies) > 1 else [],
        currency=currency,
        pack_id=pack,
        gateways=ways,
        gateway=gateway,
        needed=needed,
        next=_on(next) or "",
        errors=errors or {},
    )


def _first(found: Iterable[Item], otherwise: Item) -> Item:
    """The first that is found."""
    return next(iter(found), otherwise)


def _priced(packs: list[Pack]) -> list[dict[str, Any]]:
    """The packs for the page; of several in one currency, the cheapest by the token is named."""
    best: dict[str, Pack] = {}
    for each in packs:
        held = best.get(each.currency)
        if held is None or each.price * held.quantity < held.price * each.quantity:
            best[each.currency] = each
    several = {each.currency for each in packs if sum(1 for one in packs if one.currency == each.currency) > 1}
    return [
        {
            "id": str(each.id),
            "title": each.title,
            "tokens": each.quantity,
            "amount": each.price,
            "currency": each.currency,
            "note": "best price" if each.currency in several and best[each.currency] is each else "",
        }
        for each in packs
    ]


def _fitting(packs: list[Pack], needed: int) -> str:
    """The id of the first pack that is enough, or of the largest."""
    enough = next((each for each in packs if each.quantity >= needed), None)
    found = enough or max(packs, key=lambda each: each.quantity, default=None)
    return str(found.id) if found else ""


def _payment(request: Request, row: PaymentRow) -> dict[str, Any]:
    """A payment as the templates take it."""
    gateway = request.services.part(gateways).get(row.gateway)
    return {
        "id": row.id,
        "status": row.status,
        "title": goods(row.asset, row.quantity) if row.asset and row.quantity else row.description,
        "amount": row.amount,
        "currency": row.currency,
        "gateway_title": gateway.title if gateway else row.gateway.title(),
        "reference": row.reference,
        "created_at": row.created_at,
        "paid_at": row.paid_at,
        "refused": row.failure_reason,
    }


def _on(path: str | None) -> str | None:
    """Where to go on to after paying: a path of ours, or None."""
    return pages.local(path, "") or None if path and len(path) <= PATH_LIMIT else None


def _pack(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UnknownPack("Choose how many tokens to buy.") from None


ROUTES: list[Any] = [shop, buy, history, one, checkout, outcome]
