"""The public page of prices: no account is needed, the currency and the language are the visitor's."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import Parameter

from vetrina.core.module import Place
from vetrina.core.services import Services
from vetrina.core.web import pages
from vetrina.core.web.public.link_preview import LinkPreview, absolute
from vetrina.core.web.request import Request
from vetrina.studio.prices import offers, queries
from vetrina.studio.prices.offers import Offer
from vetrina.studio.styles.catalogue import Catalogue
from vetrina.wallet import currency as currencies
from vetrina.wallet import queries as wallet
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import queries as plan_queries
from vetrina.web import i18n
from vetrina.web.i18n import N_, say


@get("/prices", include_in_schema=False)
async def prices(
    request: Request,
    currency: Annotated[str, Parameter(max_length=3)] = "",
    language: Annotated[str, Parameter(max_length=2)] = "",
) -> Response[str]:
    """Render what packs, plans and a picture cost. A chosen currency is remembered."""
    async with request.read() as tx:
        packs = await tx.fetch_all(wallet.PACKS, assets=sorted(request.services.modules.spends))
        plans = await tx.fetch_all(plan_queries.PLANS)
        terms = await tx.fetch_one(queries.TERMS)
    offered = offers.currencies(packs, plans)
    chosen = currencies.choose(request, offered, currency)
    speaks = i18n.named(language) or i18n.current()
    engines = request.services.get(Catalogue).engines.values()
    costs = sorted({engine.cost for engine in engines if engine.styles})
    with i18n.use(speaks):
        sold = [(pack, offers.of_pack(pack, costs)) for pack in packs if pack.currency == chosen]
        monthly = [(plan.kind, offers.of_plan(plan, chosen)) for plan in plans]
        tokens = [offer for pack, offer in sold if pack.asset == Asset.TOKEN]
        others = [offer for pack, offer in sold if pack.asset != Asset.TOKEN]
        personal, business = (
            [offer for of_kind, offer in monthly if of_kind == kind and offer is not None] for kind in ("user", "vendor")
        )
        address = absolute(request.services, "/prices")
        preview = LinkPreview(
            title=say("Prices"), description=say("What a picture costs by pack, by plan and by style."), url=address
        )
        response = pages.render(
            request,
            "studio/prices/prices.html",
            nav="prices",
            packs=[_card(offer, chosen) for offer in tokens],
            others=others,
            plans=[_card(offer, chosen) for offer in personal],
            business=business,
            engines=[{"title": say(engine.title), "cost": engine.cost, "styles": len(engine.styles)} for engine in engines],
            currency=chosen,
            currencies=[{"code": code, "href": _here(currency=code, language=language)} for code in offered if len(offered) > 1],
            languages=[
                {"code": code, "title": title, "href": _here(currency=currency, language=code)}
                for code, title in i18n.TITLES.items()
            ],
            terms=terms,
            structured=offers.structured([tokens, others, personal, business], chosen, address) if chosen else None,
            preview=preview,
        )
    if currency and currency == chosen:
        currencies.remember(response, chosen)
    return response


def footer(services: Services) -> list[Place]:
    """Return the link to the page at the foot of every page; the sitemap lists it too."""
    return [Place("prices", "/prices", N_("Prices"))]


def _card(offer: Offer, currency: str) -> dict[str, Any]:
    return {"offer": offer, "picture": offers.picture_price(offer, currency)}


def _here(**query: str) -> str:
    """Return the page's address with what was chosen."""
    given = {name: value for name, value in query.items() if value}
    return "/prices" + (f"?{urlencode(given)}" if given else "")


ROUTES: list[Any] = [prices]
