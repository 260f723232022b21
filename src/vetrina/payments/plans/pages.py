"""The plan page: usage, reset date, the plan that follows, upgrades."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id, read_id
from vetrina.core.errors import Refusal
from vetrina.core.idempotency import IdempotentRequest
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.payments.checkout import actions
from vetrina.payments.checkout.pricing import RENEWING, Purchase
from vetrina.payments.gateways.registry import Gateway, Gateways
from vetrina.payments.plans import actions as memberships
from vetrina.wallet import labels
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import queries as queries_plans
from vetrina.wallet.plans.model import Membership, NotAnUpgrade, Offer, Plan, Quota, UnknownPlan
from vetrina.web import formatting as words
from vetrina.web.i18n import say


@get("/plan", guards=[signed_in], include_in_schema=False)
async def page(request: Request, gateway: str = "") -> Response[str]:
    """Render the plan and its allowances."""
    return await _shown(request, gateway=gateway)


@post("/plan", guards=[signed_in], include_in_schema=False)
async def choose(request: Request) -> Response[Any]:
    """Buy a month of a plan; a smaller plan is scheduled for the period's end."""
    form = await request.form()
    account = request.account.id
    gateway = str(form.get("gateway") or "")
    try:
        plan = _id(str(form.get("plan_id") or ""))
        try:
            purchase = Purchase(plan_id=plan, gateway=gateway or None)
            payment = await actions.start(request.services, account, purchase, IdempotentRequest(new_id()), return_url="/plan")
        except NotAnUpgrade:
            changed = await memberships.downgrade(request.services, account, plan)
            return pages.redirect("/plan", flash=("good", _follows(changed)))
        return pages.redirect(payment.checkout_url or f"/payments/{payment.id}")
    except Refusal as refused:
        return await _shown(request, gateway=gateway, refusal=refused)


@post("/plan/cancellation", guards=[signed_in], include_in_schema=False)
async def cancel(request: Request) -> Response[Any]:
    """Cancel at the period's end."""
    return await _changed(request, memberships.cancel)


@post("/plan/resumption", guards=[signed_in], include_in_schema=False)
async def resume(request: Request) -> Response[Any]:
    """Undo a cancellation or a scheduled downgrade."""
    return await _changed(request, memberships.resume)


async def _changed(request: Request, change: Any) -> Response[Any]:
    try:
        changed = await change(request.services, request.account.id)
    except Refusal as refused:
        return pages.redirect("/plan", flash=("bad", refused.message))
    return pages.redirect("/plan", flash=("good", _follows(changed)))


def _follows(member: Membership) -> str:
    if member.next_plan is None:
        return say("The {plan} plan goes on.", plan=say(member.plan_title))
    day = words.day(member.period_end)
    if member.cancel_at_period_end:
        return say("On {day} the free plan follows. Until then everything stays as it is.", day=day)
    return say("On {day} the smaller plan follows. Until then everything stays as it is.", day=day)


async def _shown(request: Request, *, gateway: str, refusal: Refusal | None = None) -> Response[str]:
    account = request.account.id
    ways = request.services.get(Gateways).offered()
    async with request.read() as tx:
        member = await plans.membership(tx, account)
        buckets = await plans.quotas(tx, account)
        offered = await tx.fetch_all(queries_plans.PLANS_FOR, account=account)
        way = next((item for item in ways if item.name == gateway), None) or _first(ways, offered)
        cards = [await _card(tx, account, row, member, way) for row in offered]
    return pages.render(
        request,
        "payments/plans/plan.html",
        refusal=refusal,
        fields=(),
        nav="wallet",
        forms=[site for item in ways for site in item.origins],
        member=member,
        bars=[_bar(bucket) for bucket in buckets],
        plans=cards,
        gateways=[{"name": item.name, "title": say(item.title), "about": say(item.about)} for item in ways],
        gateway=way.name if way else "",
    )


def _first(ways: list[Gateway], offered: list[Plan]) -> Gateway | None:
    """Return the first gateway that takes a currency of the plan."""
    return next((way for way in ways if any(way.accepts(currency) for plan in offered for currency in plan.prices)), None)


async def _card(tx: Tx, account: AccountId, plan: Plan, member: Membership, way: Gateway | None) -> dict[str, Any]:
    """Return a plan's template data: its price for the chosen gateway, and the possible action."""
    taken = [item for item in (plan.currency, *plan.prices) if item in plan.prices and way is not None and way.accepts(item)]
    currency = taken[0] if taken else plan.currency
    offer = (
        await tx.fetch_optional(queries_plans.OFFER, account=account, plan=plan.id, currency=currency) if plan.prices else None
    )
    credit = min(offer.credit, (offer.price or 1) - 1) if offer and way is not None and way.name not in RENEWING else 0
    return {
        "id": plan.id,
        "title": say(plan.display_name),
        "about": plan.description,
        "features": plan.features,
        "amount": offer.price if offer and offer.price else plan.price_per_month,
        "currency": currency,
        "others": [(other, price) for other, price in plan.prices.items() if other != currency],
        "current": plan.name == member.plan,
        "does": _does(offer, bool(taken)),
        "now": offer.price - credit if offer and offer.price and credit else None,
    }


def _does(offer: Offer | None, payable: bool) -> str:
    """Return the action of a plan's button: buy, renew, schedule, or none."""
    if offer is None:
        return ""
    if offer.is_downgrade and not offer.renewal:
        return "" if offer.current else "follow"
    if not payable or (offer.renewal and (offer.paid_ahead or offer.renewed_by)):
        return ""
    return "renew" if offer.renewal else "buy"


def _bar(bucket: Quota) -> dict[str, Any]:
    title, about = map(say, labels.ASSETS[bucket.asset])
    own = max(bucket.limit - bucket.used, 0)
    return {
        "asset": bucket.asset,
        "title": title,
        "about": about,
        "used": bucket.used,
        "limit": bucket.limit,
        "remaining": bucket.remaining,
        "more": max(bucket.remaining - own, 0),
        "resets_at": bucket.resets_at,
    }


def _id(text: str) -> UUID:
    value = read_id(text)
    if value is None:
        raise UnknownPlan("Choose a plan.")
    return value


ROUTES: list[Any] = [page, choose, cancel, resume]
