"""`vetrina plans`: list, add, change, close and delete plans."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from cyclopts import App
from rich.console import Console
from rich.table import Table

from vetrina.accounts.model import Kind
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.settings import environment as settings
from vetrina.wallet.plan_editor import actions
from vetrina.wallet.plan_editor.model import EditedPlan, InvalidPlan, InvalidPlanPrice, NewPlan, PlanChange
from vetrina.web import formatting as words
from vetrina.web.money import BadAmount, UnknownCurrency, parse_amount

app = App(name="plans", help="List, add, change, close and delete plans.")
Result = TypeVar("Result")


@app.command(name="list")
def show(*, json: bool = False) -> int:
    """List every plan, closed ones too, with the number of members.

    Args:
        json: Print the result as JSON.
    """
    rows = _do(actions.list_all)
    if json:
        output.as_json(rows)
        return exits.OK
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("name", "title", "kind", "price a month", "members", "open"):
        table.add_column(title, no_wrap=title == "name")
    for row in rows:
        table.add_row(row.name, row.display_name, row.kind, _priced(row), str(row.members), "yes" if row.is_active else "no")
    Console().print(table)
    return exits.OK


@app.command
def add(
    name: str,
    *,
    title: str,
    price: list[str],
    kind: Kind = "user",
    description: str = "",
    tokens: int = 0,
    conversions: int = 0,
    uploads: int = 0,
    storage_mb: int = 0,
    feature: list[str] | None = None,
) -> int:
    """Add a plan.

    Args:
        name: Identifier: lower-case letters, digits, underscores.
        title: Title shown to customers.
        price: Price of a month with its currency, as one writes it: "USD 4.99". Repeat it for further currencies.
        kind: The kind of accounts that it is for.
        description: Description shown to customers.
        tokens: Tokens a month.
        conversions: Conversions a month.
        uploads: Uploads a month.
        storage_mb: Storage in MB; 0 for the site's default.
        feature: A feature shown to customers; may be repeated.
    """
    values = _values(title, description, tokens, conversions, uploads, storage_mb, feature or [])
    plan = _read({**values, "name": name, "kind": kind, "prices": _prices(price)}, NewPlan)
    added = _do(lambda tx: actions.add(tx, plan))
    print(f"{added.name} is open now: {added.display_name}, {_priced(added)}.")
    return exits.OK


@app.command
def change(
    name: str,
    *,
    title: str | None = None,
    price: list[str] | None = None,
    description: str | None = None,
    tokens: int | None = None,
    conversions: int | None = None,
    uploads: int | None = None,
    storage_mb: int | None = None,
    feature: list[str] | None = None,
    open_: bool | None = None,
) -> int:
    """Change a plan. Months that run or are paid stay as they are; subscriptions at Stripe keep their price.

    Args:
        name: The plan.
        title: Title shown to customers.
        price: Price of a month with its currency: "USD 4.99". Those that are given replace all.
        description: Description shown to customers.
        tokens: Tokens a month.
        conversions: Conversions a month.
        uploads: Uploads a month.
        storage_mb: Storage in MB; 0 for the site's default.
        feature: A feature shown to customers; those that are given replace all.
        open_: Whether it takes new members.
    """
    values = _values(title, description, tokens, conversions, uploads, storage_mb, feature)
    prices = None if price is None else _prices(price)
    changes = _read(
        {key: item for key, item in {**values, "prices": prices, "is_active": open_}.items() if item is not None}, PlanChange
    )
    changed = _do(lambda tx: actions.change(tx, name, changes))
    print(
        f"{changed.name}: {changed.display_name}, {_priced(changed)}, {'open' if changed.is_active else 'closed to new members'}."
    )
    return exits.OK


@app.command
def delete(name: str) -> int:
    """Delete a plan that no account is on, or was.

    Args:
        name: The plan.
    """
    _do(lambda tx: actions.delete(tx, name))
    print(f"{name} is deleted.")
    return exits.OK


def _values(
    title: Any, description: Any, tokens: Any, conversions: Any, uploads: Any, storage: Any, features: Any
) -> dict[str, Any]:
    return {
        "display_name": title,
        "description": description,
        "monthly_tokens": tokens,
        "monthly_conversions_limit": conversions,
        "monthly_images_limit": uploads,
        "storage_mb": storage,
        "features": features,
    }


def _prices(texts: list[str]) -> dict[str, int]:
    """Return the prices of texts such as "USD 4.99". Raises InvalidPlanPrice (422)."""
    pairs = [text.strip().partition(" ") for text in texts]
    try:
        return {currency: parse_amount(amount.strip(), currency) for currency, _, amount in pairs}
    except (UnknownCurrency, BadAmount) as error:
        raise InvalidPlanPrice(str(error)) from None


def _read(values: dict[str, Any], kind: type[Result]) -> Result:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise InvalidPlan(str(error)) from None


def _do(work: Callable[[Tx], Awaitable[Result]]) -> Result:
    config = settings.read()
    logs.configure(config.log_format, "plans")
    return asyncio.run(doing(config, work))


def _priced(plan: EditedPlan) -> str:
    return " / ".join(words.money(price, currency) for currency, price in sorted(plan.prices.items())) or "free"
