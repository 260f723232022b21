"""The operator's page of packs."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Response, get, post

from vetrina.accounts.roles.guards import operator
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.wallet import labels
from vetrina.wallet.model import InvalidPack, SoldPack
from vetrina.wallet.packs import actions as packs
from vetrina.wallet.packs import agreement
from vetrina.wallet.packs.actions import NewPack, PackChange
from vetrina.web.i18n import say
from vetrina.web.money import UnknownCurrency, plain_amount

FIELDS = ("name", "title", "asset", "quantity", "price", "amount", "currency", "position")
Read = TypeVar("Read")
WRONG = {
    "name": "Use 2 to 40 lower-case letters, digits and underscores.",
    "title": "A title has 1 to 80 characters.",
    "asset": "Choose an asset.",
    "quantity": "Enter a whole number, 1 or more.",
    "price": "A whole number of the currency's smallest unit: 499 is $4.99, 500000 are 500,000 rials.",
    "currency": "An ISO 4217 code of three capital letters. Rials are IRR; toman are refused.",
    "position": "Enter a whole number, 0 or more.",
}


@get("/operator/packs", guards=[operator], include_in_schema=False)
async def page(request: Request) -> Response[str]:
    """List every pack."""
    return await _shown(request, {})


@post("/operator/packs", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def add(request: Request, data: Form) -> Response[Any]:
    """Add a pack."""
    values = {name: data.get(name, "").strip() for name in FIELDS}
    try:
        fields = {key: value for key, value in values.items() if key != "amount"}
        if values["amount"]:
            fields["price"] = str(packs.price_of(values["amount"], values["currency"]))
        pack = _read(fields, NewPack)
        async with request.tx() as tx:
            await packs.add(tx, pack)
    except Refusal as refusal:
        return await _shown(request, values, refusal)
    return pages.redirect("/operator/packs", flash=("good", say("{pack} is for sale now.", pack=pack.title)))


@post("/operator/packs/{name:str}", guards=[operator], include_in_schema=False, opt=CONFIRMED)
async def change(request: Request, name: str, data: Form) -> Response[Any]:
    """Change a pack's title, quantity, price, position, or whether it is for sale."""
    try:
        if "is_active" in data:
            changes = PackChange(is_active=data["is_active"] == "true")
        else:
            given = {item: data[item].strip() for item in ("title", "quantity", "price", "position") if item in data}
            if amount := data.get("amount", "").strip():
                async with request.read() as tx:
                    given["price"] = str(await packs.price_of_pack(tx, name, amount))
            changes = _read(given, PackChange)
        async with request.tx() as tx:
            changed = await packs.change(tx, name, changes)
    except NotFound:
        raise
    except Refusal as refused:
        return pages.redirect("/operator/packs", flash=("bad", f"{name}: {refused.message}"))
    return pages.redirect(
        "/operator/packs", flash=("good", say("{pack}: saved. Open checkouts keep their price.", pack=changed.title))
    )


def _amount(pack: SoldPack) -> str:
    """Return the price as it is typed; the minor units where the pack's currency is none (any more)."""
    try:
        return plain_amount(pack.price, pack.currency)
    except UnknownCurrency:
        return str(pack.price)


def _read(values: dict[str, str], kind: type[Read]) -> Read:
    """Convert the form's fields. Raises InvalidPack (422) naming the first invalid field."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        name = next((field for field in FIELDS if f"$.{field}" in str(error)), "")
        raise InvalidPack(WRONG.get(name), field=name) from None


async def _shown(request: Request, values: dict[str, str], refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        rows = await packs.list_all(tx)
        disagreements = await agreement.disagreements(tx)
    spends = request.services.modules.spends
    return pages.render(
        request,
        "wallet/packs/packs.html",
        refusal=refusal,
        fields=FIELDS,
        nav="operator",
        disagreements=[item.sentence for item in disagreements],
        packs=[
            {
                "row": row,
                "what": labels.amount(row.asset, row.quantity),
                "spent": row.asset in spends,
                "amount": _amount(row),
            }
            for row in rows
        ],
        assets=[{"value": str(name), "title": say(title)} for name, (title, _) in labels.ASSETS.items()],
        values={name: values.get(name, "") for name in FIELDS},
    )


ROUTES: list[Any] = [page, add, change]
