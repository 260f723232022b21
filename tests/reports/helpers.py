"""Test data for reports: Stripe objects with chosen amounts, events about them, dates by name."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from tests.factories import Account, Make
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core.database.connection import Database
from vetrina.reports import actions
from vetrina.stripe_mirror.consistency import sample_data as sample

_numbers = count(1)


def at(day: str, hour: int = 12) -> int:
    """Return the Unix time of an hour of a day."""
    return int(datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00").timestamp())


def moment(day: str, hour: int = 12) -> datetime:
    """Return an hour of a day as a datetime."""
    return datetime.fromtimestamp(at(day, hour), UTC)


def subscription(
    number: int, day: str, amount: int, *, customer: int | None = None, currency: str = "eur", interval: str = "month",
    product: int = 0, **fields: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return a subscription created on `day`, with one item at `amount` per interval."""
    created = sample.subscription(number, at(day), customer_id=f"cus_sample{customer or number:010d}")
    item = created["items"]["data"][0]
    item["price"] = {**item["price"], "unit_amount": amount, "unit_amount_decimal": str(amount), "currency": currency,
                     "product": f"prod_sample{product}",
                     "recurring": {**item["price"]["recurring"], "interval": interval}}  # fmt: skip
    return {**created, "currency": currency, "cancel_at_period_end": False, "trial_end": None, **fields}


def event(kind: str, data: dict[str, Any], day: str, hour: int = 12) -> dict[str, Any]:
    """Return an event about an object."""
    return sample.event(kind, data, at(day, hour), f"event{next(_numbers):08d}")


def made(data: dict[str, Any], day: str, **fields: Any) -> dict[str, Any]:
    """Return the event of an object's creation."""
    return event(f"{_kind(data)}.created", {**data, **fields}, day)


def changed(data: dict[str, Any], day: str, hour: int = 12, **fields: Any) -> dict[str, Any]:
    """Return the event of an object's update."""
    return event(f"{_kind(data)}.updated", {**data, **fields}, day, hour)


def canceled(data: dict[str, Any], day: str) -> dict[str, Any]:
    """Return the event of a subscription's cancellation."""
    ended = {**data, "status": "canceled", "ended_at": at(day), "canceled_at": at(day)}
    return event("customer.subscription.deleted", ended, day)


def _kind(data: dict[str, Any]) -> str:
    return "customer.subscription" if data["object"] == "subscription" else data["object"]


async def rows(db: Database, name: str, as_of: str, months: int | None = None) -> list[dict[str, Any]]:
    """Return the rows of a report."""
    return (await actions.figures(db, name, as_of=date.fromisoformat(as_of), months=months)).rows


def column(result: list[dict[str, Any]], name: str, **fits: Any) -> list[Any]:
    """Return one column of the matching rows."""
    return [row[name] for row in result if all(row[key] == value for key, value in fits.items())]


async def operator(make: Make) -> Account:
    """Create an operator."""
    account = await make.account()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, Role.ADMIN)
    return account
