"""Calls about subscriptions: retrieve, cancel, change the price."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any

import msgspec


class Price(msgspec.Struct, frozen=True):
    """Price of a period."""

    id: str
    unit_amount: int | None = None
    currency: str | None = None


class Item(msgspec.Struct, frozen=True):
    """A subscribed item; its period in Unix seconds."""

    id: str
    price: Price | None = None
    current_period_start: int | None = None
    current_period_end: int | None = None


class Items(msgspec.Struct, frozen=True):
    """The first page of a list."""

    data: list[Item] = []


class PauseCollection(msgspec.Struct, frozen=True):
    """Treatment of invoices while collection is paused: keep_as_draft, mark_uncollectible or void."""

    behavior: str | None = None


class Subscription(msgspec.Struct, frozen=True):
    """A subscription. `status` is Stripe's: active, past_due, unpaid, paused, canceled...; `cancel_at` is in seconds."""

    id: str
    status: str
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    pause_collection: PauseCollection | None = None
    items: Items = Items()
    metadata: dict[str, str] = {}

    @property
    def ends_with_period(self) -> bool:
        """Whether no further period will be charged.

        Classic billing mode sets `cancel_at_period_end`; flexible mode only sets `cancel_at`. A date after the current period
        does not end it yet. While it is paused, invoices are made but not collected.
        """
        period_end = max((item.current_period_end or 0 for item in self.items.data), default=0)
        cancelled = self.cancel_at_period_end or (self.cancel_at is not None and self.cancel_at <= period_end)
        return cancelled or self.status == "paused" or self.pause_collection is not None

    @property
    def uncancel(self) -> dict[str, Any]:
        """Return the parameter that withdraws a cancellation, by the billing mode."""
        if self.cancel_at is not None and not self.cancel_at_period_end:
            return {"cancel_at": ""}
        return {"cancel_at_period_end": False}


class Plans(ABC):
    """The subscription calls of `client.Stripe`. Raises StripeAway and StripeRefused."""

    @property
    @abstractmethod
    def _api(self) -> Any:
        """The SDK's v1 services."""

    @abstractmethod
    async def _read(self, call: Awaitable[Any], kind: type[Any]) -> Any:
        """Return the call's result as `kind`."""

    async def subscription(self, ref: str) -> Subscription:
        """Return the subscription."""
        return await self._read(self._api.subscriptions.retrieve_async(ref), Subscription)

    async def end_later(self, ref: str, *, ends: bool, key: str) -> Subscription:
        """Cancel it at the end of its period, or withdraw that."""
        params: Any = {"cancel_at_period_end": True} if ends else (await self.subscription(ref)).uncancel
        return await self._read(self._api.subscriptions.update_async(ref, params, {"idempotency_key": key}), Subscription)

    async def end_now(self, ref: str, *, key: str, prorate: bool = True) -> Subscription:
        """Cancel it now. With `prorate` the rest of the period becomes customer balance, which the next invoice uses."""
        params: Any = {"prorate": prorate, "invoice_now": prorate}
        return await self._read(self._api.subscriptions.cancel_async(ref, params, {"idempotency_key": key}), Subscription)

    async def cost(self, ref: str, *, title: str, amount: int, currency: str, marks: dict[str, str], key: str) -> Subscription:
        """Change its monthly price and metadata from the next period on; nothing is charged now."""
        price: Any = {
            "currency": currency.lower(),
            "unit_amount": amount,
            "recurring": {"interval": "month"},
            "product_data": {"name": title},
        }
        price_object = await self._read(self._api.prices.create_async(price, {"idempotency_key": f"{key} price"}), Price)
        current = await self.subscription(ref)
        params: Any = {
            "items": [{"id": current.items.data[0].id, "price": price_object.id}],
            "proration_behavior": "none",
            "metadata": marks,
            **current.uncancel,
        }
        return await self._read(self._api.subscriptions.update_async(ref, params, {"idempotency_key": key}), Subscription)
