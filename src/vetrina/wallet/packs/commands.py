"""`vetrina packs`: list, add and change packs of credits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from cyclopts import App
from rich.console import Console
from rich.table import Table

from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.settings import environment as settings
from vetrina.wallet import labels
from vetrina.wallet.model import SoldPack
from vetrina.wallet.packs import actions as packs
from vetrina.wallet.packs import agreement
from vetrina.wallet.packs.actions import NewPack, PackChange
from vetrina.web import formatting as words

app = App(name="packs", help="List, add and change packs of credits.")
Result = TypeVar("Result")


@app.command(name="list")
def show(*, json: bool = False) -> int:
    """List every pack, including those not for sale.

    Args:
        json: Print the result as JSON.
    """
    rows = _do(packs.list_all)
    if json:
        output.as_json(rows)
        return exits.OK
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("name", "title", "holds", "price", "place", "for sale"):
        table.add_column(title, no_wrap=title == "name")
    for row in rows:
        table.add_row(*_cells(row))
    Console().print(table)
    return exits.OK


@app.command
def check(*, json: bool = False) -> int:
    """Check that prices in several currencies agree by the stated rates. Exit code 1 if they do not.

    The rates are the setting wallet.currency_rates. A price may differ by a tenth.

    Args:
        json: Print the result as JSON.
    """
    rows = _do(agreement.disagreements)
    if json:
        output.as_json(rows)
    elif not rows:
        print("Prices agree: every pack and plan costs the same in each of its currencies.")
    for row in [] if json else rows:
        print(row.sentence)
    return exits.FAILED if rows else exits.OK


@app.command
def add(
    name: str,
    *,
    title: str,
    asset: str,
    quantity: int,
    currency: str,
    price: int | None = None,
    amount: str | None = None,
    position: int = 100,
) -> int:
    """Add a pack. A price in another currency is a separate pack.

    Args:
        name: Identifier: lower-case letters, digits, underscores.
        title: Title shown to customers.
        asset: token, conversion, image_slot, contact or posting.
        quantity: Number of credits.
        currency: ISO 4217 code: USD, EUR, IRR.
        price: In the currency's smallest unit: 499 is $4.99, 500000 are 500,000 rials.
        amount: The price as one writes it, instead of --price: 4.99, or 500,000 for rials.
        position: Sort position; smaller comes first.
    """
    if (price is None) == (amount is None):
        print("vetrina: give the price as --price or as --amount.")
        return exits.USAGE
    price = price if amount is None else packs.price_of(amount, currency)
    values = {"name": name, "title": title, "asset": asset, "quantity": quantity, "price": price, "currency": currency}
    pack = _read({**values, "position": position}, NewPack)
    if pack is None:
        return exits.USAGE
    added = _do(lambda tx: packs.add(tx, pack))
    print(f"{added.name} is for sale now: {', '.join(_cells(added)[1:4])}.")
    return exits.OK


@app.command
def change(
    name: str,
    *,
    title: str | None = None,
    quantity: int | None = None,
    price: int | None = None,
    amount: str | None = None,
    position: int | None = None,
    for_sale: bool | None = None,
) -> int:
    """Change a pack. Open checkouts keep their price.

    Args:
        name: The pack.
        title: Title shown to customers.
        quantity: Number of credits.
        price: In the currency's smallest unit.
        amount: The price as one writes it, instead of --price.
        position: Sort position; smaller comes first.
        for_sale: Whether it is for sale.
    """
    if price is not None and amount is not None:
        print("vetrina: give the price as --price or as --amount.")
        return exits.USAGE
    if amount is not None:
        price = _do(lambda tx: packs.price_of_pack(tx, name, amount))
    values = {"title": title, "quantity": quantity, "price": price, "position": position, "is_active": for_sale}
    change_ = _read({key: value for key, value in values.items() if value is not None}, PackChange)
    if change_ is None:
        return exits.USAGE
    changed = _do(lambda tx: packs.change(tx, name, change_))
    print(f"{changed.name}: {', '.join(_cells(changed)[1:4])}, {'for sale' if changed.is_active else 'not for sale'}.")
    return exits.OK


def _read(values: dict[str, Any], kind: type[Result]) -> Result | None:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        print(f"vetrina: {error}")
        return None


def _do(work: Callable[[Tx], Awaitable[Result]]) -> Result:
    config = settings.read()
    logs.configure(config.log_format, "packs")
    return asyncio.run(doing(config, work))


def _cells(pack: SoldPack) -> list[str]:
    price, what = words.money(pack.price, pack.currency), labels.amount(pack.asset, pack.quantity)
    return [pack.name, pack.title, what, price, str(pack.position), "yes" if pack.is_active else "no"]
