"""Objects with amounts of our choosing, events about them in the order of happening, days by their names."""

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
    """Seconds at an hour of a day."""
    return int(datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00").timestamp())


def moment(day: str, hour: int = 12) -> datetime:
    """The same as a moment."""
    return datetime.fromtimestamp(at(day, hour), UTC)


def subscription(
    number: int, day: str, amount: int, *, customer: int | None = None, currency: str = "eur", interval: str = "month",
    product: int = 0, **fields: Any,
) -> dict[str, Any]:  # fmt: skip
    """A subscription that was made on `day`, of one item at `amount` an interval."""
    made = sample.subscription(number, at(day), customer_id=f"cus_sample{customer or number:010d}")
    item = made["items"]["data"][0]
    item["price"] = {**item["price"], "unit_amount": amount, "unit_amount_decimal": str(amount), "currency": currency,
                     "product": f"prod_sample{product}",
                     "recurring": {**item["price"]["recurring"], "interval": interval}}  # fmt: skip
    return {**made, "currency": currency, "cancel_at_period_end": False, "trial_end": None, **fields}


def told(kind: str, data: dict[str, Any], day: str, hour: int = 12) -> dict[str, Any]:
    """An event about it."""
    return sample.event(kind, data, at(day, hour), f"told{next(_numbers):08d}")


def made(data: dict[str, Any], day: str, **fields: Any) -> dict[str, Any]:
    """It was made."""
    return told(f"{_kind(data)}.created", {**data, **fields}, day)


def changed(data: dict[str, Any], day: str, hour: int = 12, **fields: Any) -> dict[str, Any]:
    """It became otherwise."""
    return told(f"{_kind(data)}.updated", {**data, **fields}, day, hour)


def canceled(data: dict[str, Any], day: str) -> dict[str, Any]:
    """It ended."""
    return told("customer.subscription.deleted", {**data, "status": "canceled", "ended_at": at(day), "canceled_at": at(day)}, day)


def _kind(data: dict[str, Any]) -> str:
    return {"subscription": "customer.subscription"}.get(data["object"], data["object"])


async def rows(db: Database, name: str, as_of: str, months: int | None = None) -> list[dict[str, Any]]:
    """The rows of a report."""
    return (await actions.figures(db, name, as_of=date.fromisoformat(as_of), months=months)).rows


def column(found: list[dict[str, Any]], name: str, **fits: Any) -> list[Any]:
    """One column of the rows that fit."""
    return [each[name] for each in found if all(each[key] == value for key, value in fits.items())]


async def operator(make: Make) -> Account:
    """Somebody who may see all of this."""
    account = await make.account()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, Role.ADMIN)
    return account
