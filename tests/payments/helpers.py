"""What tests of payments need: packs, checkouts, and a gateway of someone else's that does as it is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2

from vetrina.core.database.connection import Database
from vetrina.core.settings.environment import Settings
from vetrina.payments.model import Checkout, GatewayFailed, GatewayResult, GatewayStatus, NotRefundable, PaymentRow, RefundResult


async def pack(api: httpx2.AsyncClient, name: str = "tokens_50") -> dict[str, Any]:
    """A pack that is for sale."""
    return next(item for item in (await api.get("/packs")).json()["items"] if item["name"] == name)


async def start(api: httpx2.AsyncClient, name: str = "tokens_50", **headers: str) -> dict[str, Any]:
    """Open a checkout."""
    answer = await api.post("/payments", json={"pack_id": (await pack(api, name))["id"], "gateway": "sandbox"}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def press(client: httpx2.AsyncClient, payment: dict[str, Any], outcome: str) -> httpx2.Response:
    """Press a button of the test checkout, on the client's site."""
    return await client.post(urlsplit(payment["checkout_url"]).path, data={"outcome": outcome})


async def one(api: httpx2.AsyncClient, payment: dict[str, Any]) -> dict[str, Any]:
    """The payment as it is now."""
    return (await api.get(f"/payments/{payment['id']}")).json()


async def scalar(db: Database, sql: Any, *arguments: Any) -> Any:
    """One value."""
    async with db.read() as tx:
        row = await (await tx.connection.execute(sql, arguments)).fetchone()
    return row[0] if row else None


async def overdue(db: Database) -> None:
    """Let the time of every pending payment run out."""
    async with db.tx() as tx:
        await tx.connection.execute("update payments.payments set expires_at = now() - interval '1 s' where status = 'pending'")


@dataclass
class Bank:
    """A gateway of someone else's: takes dollars only, answers after a while, and notes what it was asked."""

    name: str = "stripe"
    title: str = "The bank"
    about: str = "Cards"
    checkout_lifetime: timedelta = timedelta(minutes=30)
    origins: tuple[str, ...] = ()
    down: bool = False
    fault: Exception | None = None
    word: GatewayResult = GatewayResult(GatewayStatus.WAITING)
    pause: float = 0
    ref: str | None = None
    begun: list[PaymentRow] = field(default_factory=list[PaymentRow])
    asked: list[str] = field(default_factory=list[str])

    def available(self, settings: Settings) -> bool:
        return True

    def accepts(self, currency: str) -> bool:
        return currency == "USD"

    async def open_checkout(self, payment: PaymentRow) -> Checkout:
        self.begun.append(payment)
        await asyncio.sleep(self.pause)
        if self.down:
            raise GatewayFailed("The bank does not answer. Nothing was charged.")
        return Checkout(self.ref or f"cs_{payment.id.hex}", f"https://checkout.example/{payment.id}")

    async def close_checkout(self, ref: str) -> None:
        self.asked.append(f"leave {ref}")

    async def fetch_result(self, payment: PaymentRow, ref: str) -> GatewayResult:
        self.asked.append(ref)
        if self.down:
            raise GatewayFailed
        if self.fault:
            raise self.fault
        return self.word

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> RefundResult:
        raise NotRefundable
