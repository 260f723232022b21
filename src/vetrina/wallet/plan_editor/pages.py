"""The operator's pages of plans: the list, and one plan with its members."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Response, get, post

from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.wallet.plan_editor import actions
from vetrina.wallet.plan_editor.model import EditedPlan, InvalidPlan, InvalidPlanPrice, NewPlan, PlanChange
from vetrina.web.i18n import N_, say
from vetrina.web.money import BadAmount, UnknownCurrency, parse_amount, plain_amount

PAGE = 50
NUMBERS = ("monthly_tokens", "monthly_conversions_limit", "monthly_images_limit", "storage_mb")
TEXTS = ("display_name", "description")
FIELDS = ("name", "kind", *TEXTS, *NUMBERS, "features", "prices", "currency", "amount")
Read = TypeVar("Read")
WRONG = {
    "name": N_("Use 2 to 40 lower-case letters, digits and underscores."),
    "kind": N_("Choose the kind of account."),
    "display_name": N_("A title has 1 to 80 characters."),
    "description": N_("A description has at most 400 characters."),
    **dict.fromkeys(NUMBERS, N_("Enter a whole number, 0 or more.")),
    "features": N_("At most 20 lines of 120 characters."),
    "prices": N_("A price is above 0."),
}


@get("/operator/plans", guards=[operator], include_in_schema=False)
async def page(request: Request) -> Response[str]:
    """List every plan, with a form for a new one."""
    return await _list(request, {})


@post("/operator/plans", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def add(request: Request, data: Form) -> Response[Any]:
    """Add a plan."""
    values = {name: data.get(name, "").strip() for name in FIELDS}
    try:
        plan = _read({**_entered(values), "name": values["name"], "kind": values["kind"], "prices": _prices(data)}, NewPlan)
        async with request.tx() as tx:
            added = await actions.add(tx, plan)
    except Refusal as refusal:
        return await _list(request, values, refusal)
    return pages.redirect(f"/operator/plans/{added.name}", flash=("good", say("{plan} is open now.", plan=added.display_name)))


@get("/operator/plans/{name:str}", guards=[operator], include_in_schema=False)
async def plan_page(request: Request, name: str, cursor: Cursor = None) -> Response[str]:
    """Show one plan: its form, and who is on it."""
    return await _one(request, name, cursor=cursor)


@post("/operator/plans/{name:str}", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def change(request: Request, name: str, data: Form) -> Response[Any]:
    """Change a plan, or with `is_active` alone close it to new members or open it again."""
    values = {field: data.get(field, "").strip() for field in FIELDS}
    try:
        if "is_active" in data:
            changes = PlanChange(is_active=data["is_active"] == "true")
        else:
            changes = _read({**_entered(values), "prices": _prices(data)}, PlanChange)
        async with request.tx() as tx:
            changed = await actions.change(tx, name, changes)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _one(request, name, values=values, refusal=refusal)
    return pages.redirect(
        f"/operator/plans/{name}", flash=("good", say("{plan}: saved. Paid periods stay as they are.", plan=changed.display_name))
    )


@post("/operator/plans/{name:str}/deletion", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def remove(request: Request, name: str) -> Response[Any]:
    """Delete a plan that no account is on, or was."""
    try:
        async with request.tx() as tx:
            await actions.delete(tx, name)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _one(request, name, refusal=refusal)
    return pages.redirect("/operator/plans", flash=("good", say("The plan {plan} is deleted.", plan=name)))


def _entered(values: dict[str, str]) -> dict[str, Any]:
    """Return the form's texts, limits and features."""
    features = [line.strip() for line in values["features"].splitlines() if line.strip()]
    return {**{name: values[name] for name in TEXTS}, **{name: values[name] or "0" for name in NUMBERS}, "features": features}


def _prices(data: dict[str, str]) -> dict[str, int]:
    """Return the prices of the fields `price-USD`, of which empty ones are left out, and of `amount` in `currency`.

    Raises InvalidPlanPrice (422).
    """
    amounts = {field.removeprefix("price-"): text for field, text in data.items() if field.startswith("price-")}
    if data.get("amount", "").strip():
        amounts[data.get("currency", "").strip()] = data["amount"]
    try:
        return {currency: parse_amount(text.strip(), currency) for currency, text in amounts.items() if text.strip()}
    except (UnknownCurrency, BadAmount) as error:
        raise InvalidPlanPrice(str(error)) from None


def _read(values: dict[str, Any], kind: type[Read]) -> Read:
    """Convert the form's fields. Raises InvalidPlan (422) naming the first invalid field."""
    if kind is PlanChange and not values["prices"]:
        del values["prices"]
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        name = next((field for field in FIELDS if f"$.{field}" in str(error)), "")
        raise InvalidPlan(WRONG.get(name), field=name) from None


def _form_values(plan: EditedPlan) -> dict[str, str]:
    return {
        **{name: str(getattr(plan, name) or "") for name in (*TEXTS, *NUMBERS)},
        "features": "\n".join(plan.features),
    }


def _amount(minor: int, currency: str) -> str:
    """Return a price as it is typed; the minor units where the currency is none (any more)."""
    try:
        return plain_amount(minor, currency)
    except UnknownCurrency:
        return str(minor)


async def _list(request: Request, values: dict[str, str], refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        plans = await actions.list_all(tx)
    return pages.render(
        request,
        "wallet/plan_editor/plans.html",
        refusal=refusal,
        fields=FIELDS,
        nav="operator",
        plans=plans,
        kinds=[{"value": "user", "title": say("User")}, {"value": "vendor", "title": say("Vendor")}],
        values={name: values.get(name, "") for name in FIELDS},
    )


async def _one(
    request: Request,
    name: str,
    *,
    cursor: str | None = None,
    values: dict[str, str] | None = None,
    refusal: Refusal | None = None,
) -> Response[str]:
    async with request.read() as tx:
        plan = await actions.get_plan(tx, name)
        members = await actions.members(tx, name, cursor, PAGE)
    return pages.render(
        request,
        "wallet/plan_editor/plan.html",
        refusal=refusal,
        fields=FIELDS,
        nav="operator",
        plan=plan,
        amounts=[(currency, _amount(price, currency)) for currency, price in sorted(plan.prices.items())],
        members=members.items,
        older=members.older(f"/operator/plans/{name}"),
        values={**dict.fromkeys(FIELDS, ""), **(values or _form_values(plan))},
    )


ROUTES: list[Any] = [page, add, plan_page, change, remove]
