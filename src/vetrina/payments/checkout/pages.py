"""The shop page: packs by asset and currency, and the gateways to pay with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import Parameter
from litestar.response import Redirect

from vetrina.core.database.ids import new_id, read_id
from vetrina.core.errors import Refusal
from vetrina.core.idempotency import IdempotentRequest
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.payments import queries
from vetrina.payments.checkout import actions
from vetrina.payments.checkout.payment_pages import onward
from vetrina.payments.checkout.pricing import Purchase
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.model import UnknownPack
from vetrina.wallet import currency as currency_of_visitor
from vetrina.wallet import labels
from vetrina.wallet import queries as wallet
from vetrina.wallet.model import Asset, Pack
from vetrina.web.i18n import say

Item = TypeVar("Item")

COUNTERS = {
    Asset.TOKEN: ("Buy tokens", "Tokens pay for pictures. They do not expire, and a failed picture is refunded."),
    Asset.CONTACT: ("Buy contacts", "Each opens the contact details of one post. They do not expire."),
    Asset.POSTING: ("Buy postings", "Each publishes one contact post. They do not expire."),
    Asset.CONVERSION: ("Buy conversions", "Pictures beyond those in your plan. They do not expire."),
    Asset.IMAGE_SLOT: ("Buy uploads", "Uploads beyond those in your plan. They do not expire."),
}
"""The title and description of the shop page, by asset."""


@get("/buy", guards=[signed_in], include_in_schema=False, sync_to_thread=False)
def short(request: Request) -> Redirect:
    """Redirect from the short address."""
    return pages.redirect("/wallet/buy" + (f"?{request.url.query}" if request.url.query else ""))


@get("/wallet/buy", guards=[signed_in], include_in_schema=False)
async def shop(
    request: Request,
    needed: Annotated[int | None, Parameter(ge=0, le=1_000_000_000)] = None,
    next: str | None = None,
    what: Annotated[str, Parameter(max_length=16)] = "",
    currency: Annotated[str, Parameter(max_length=3)] = "",
) -> Response[str]:
    """Render the packs and the gateways."""
    return await _shop(request, needed=needed or None, next=next, what=what, currency=currency)


@post("/wallet/buy", guards=[signed_in], include_in_schema=False)
async def buy(request: Request) -> Response[Any]:
    """Open a checkout and redirect to it. A pending checkout for the same purchase is reused."""
    account = request.account.id
    form = await request.form()
    pack, gateway, next = read_id(form.get("pack_id")), str(form.get("gateway") or ""), str(form.get("next") or "")
    return_url = onward(next)
    try:
        if pack is None:
            raise UnknownPack("Choose how much to buy.")
        purchase = Purchase(pack_id=pack, gateway=gateway or None)
        if any(item.name == gateway for item in request.services.get(Gateways).offered()):
            place = {"account": account, "pack": purchase.pack_id, "gateway": gateway, "return_url": return_url}
            async with request.read() as tx:
                left = await tx.fetch_optional(queries.OPEN_CHECKOUT, **place)
            if left is not None and left.checkout_url:
                return pages.redirect(left.checkout_url)
        payment = await actions.start(request.services, account, purchase, IdempotentRequest(new_id()), return_url=return_url)
        return pages.redirect(payment.checkout_url or f"/payments/{payment.id}")
    except Refusal as refusal:
        return await _shop(request, next=next, pack=pack, gateway=gateway, refusal=refusal)


async def _shop(
    request: Request,
    *,
    next: str | None,
    needed: int | None = None,
    pack: UUID | None = None,
    gateway: str = "",
    what: str = "",
    currency: str = "",
    refusal: Refusal | None = None,
) -> Response[str]:
    async with request.read() as tx:
        every = await tx.fetch_all(wallet.PACKS, assets=sorted(request.services.modules.spends))
    kinds = [str(counter) for counter in COUNTERS if any(pack.asset == counter for pack in every)]
    chosen_kind = _first((row.asset for row in every if row.id == pack), what)
    what = chosen_kind if chosen_kind in kinds else _first(kinds, str(Asset.TOKEN))
    sold = [row for row in every if row.asset == what]
    currencies = list(dict.fromkeys(item.currency for item in sold))
    chosen = _first((item.currency for item in sold if item.id == pack), currency)
    currency = currency_of_visitor.choose(request, currencies, chosen)
    packs = [item for item in sold if item.currency == currency]
    offered = request.services.get(Gateways).offered()
    ways = [
        {
            "name": item.name,
            "title": say(item.title),
            "about": item.about,
            "available": not packs or item.accepts(currency),
        }
        for item in offered
    ]
    if not any(item.id == pack for item in packs):
        pack = _fitting(packs, needed or 0)
    if not any(way["name"] == gateway for way in ways):
        gateway = str(_first((way for way in ways if way["available"]), ways[0])["name"]) if ways else ""
    return pages.render(
        request,
        "payments/checkout/buy.html",
        refusal=refusal,
        fields=("pack_id", "gateway"),
        nav="wallet",
        forms=[site for item in offered for site in item.origins],
        title=say(COUNTERS[Asset(what)][0]),
        about=COUNTERS[Asset(what)][1],
        what=what,
        kinds=[{"value": kind, "title": say(labels.ASSETS[kind][0]), "href": _here(kind, "", next)} for kind in kinds],
        packs=_priced(packs),
        currencies=[{"code": item, "href": _here(what, item, next, needed)} for item in currencies if len(currencies) > 1],
        currency=currency,
        pack_id=pack,
        gateways=ways,
        gateway=gateway,
        needed=needed if what == Asset.TOKEN else None,
        next=onward(next) or "",
    )


def _first(items: Iterable[Item], otherwise: Item) -> Item:
    """Return the first value that is set."""
    return next(iter(items), otherwise)


def _priced(packs: list[Pack]) -> list[dict[str, Any]]:
    """Return the packs for the page; the cheapest per credit of each currency is marked."""
    best: dict[str, Pack] = {}
    for pack in packs:
        held = best.get(pack.currency)
        if held is None or pack.price * held.quantity < held.price * pack.quantity:
            best[pack.currency] = pack
    several = {pack.currency for pack in packs if sum(1 for one in packs if one.currency == pack.currency) > 1}
    return [
        {
            "id": pack.id,
            "title": pack.title,
            "quantity": pack.quantity,
            "amount": pack.price,
            "currency": pack.currency,
            "note": "best price" if pack.currency in several and best[pack.currency] is pack else "",
        }
        for pack in packs
    ]


def _fitting(packs: list[Pack], needed: int) -> UUID | None:
    """Return the id of the smallest pack that covers `needed`, or of the largest."""
    enough = next((pack for pack in packs if pack.quantity >= needed), None)
    best_fit = enough or max(packs, key=lambda candidate: candidate.quantity, default=None)
    return best_fit.id if best_fit else None


def _here(what: str, currency: str, next: str | None, needed: int | None = None) -> str:
    """Return the address of the shop page for an asset and currency, keeping the purpose of the visit."""
    query = {"what": what if what != Asset.TOKEN else "", "currency": currency, "needed": needed, "next": onward(next)}
    given = {name: value for name, value in query.items() if value}
    return "/wallet/buy" + (f"?{urlencode(given)}" if given else "")


ROUTES: list[Any] = [short, shop, buy]
