"""What tests of Stripe need: a site that sells through the fake, checkouts, deliveries, the ledger in print."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2

from tests.factories import Account, Make
from tests.fakes.stripe import GOOD, KEY, SECRET, StripeFake
from tests.payments.helpers import one, pack
from tests.server import Site, serving
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services, connect
from vetrina.core.settings.environment import Settings
from vetrina.payments import queries
from vetrina.payments.model import PaymentRow
from vetrina.payments.settlement import verify as books
from vetrina.payments.webhooks import actions as told
from vetrina.payments.webhooks import stripe_payments as stripe_events
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import Asset

assert stripe_events, "declares the handlers"


@asynccontextmanager
async def selling(settings: Settings, database: str, fake: StripeFake) -> AsyncIterator[Site]:
    """The site with the fake as its Stripe, which it tells where it listens."""
    result = replace(
        settings, stripe_api_key=KEY, stripe_api_base=fake.url, stripe_webhook_secret=f"{SECRET},whsec_older", sandbox=False
    )
    services = connect(result, database)
    async with serving(services) as site:
        # Gateways are made when they are first asked for: by then the address is known.
        services.settings = replace(result, public_url=site.url)
        fake.listen(f"{site.url}/webhooks/stripe")
        yield site


async def checkout(api: httpx2.AsyncClient, name: str = "tokens_200", **headers: str) -> dict[str, Any]:
    """A payment through Stripe."""
    answer = await api.post("/payments", json={"pack_id": (await pack(api, name))["id"], "gateway": "stripe"}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def session_of(fake: StripeFake, payment: dict[str, Any]) -> dict[str, Any]:
    """The Checkout Session of a payment."""
    return next(item for item in fake.all("checkout/sessions") if item["client_reference_id"] == payment["id"])


async def bought(site: Site, fake: StripeFake, account: Account, name: str = "tokens_200") -> tuple[dict[str, Any], str]:
    """A payment that is paid and settled, and its payment intent."""
    async with site.api(account) as api:
        payment = await checkout(api, name)
        session = session_of(fake, payment)
        assert fake.pay(session["id"], GOOD) is None
        await delivered(site.services, fake)
        payment = await one(api, payment)
        assert payment["status"] == "completed"
        return payment, session["payment_intent"]


async def delivered(services: Services, fake: StripeFake) -> None:
    """Every webhook has come in and was applied."""
    await asyncio.to_thread(fake.post.settle)
    await drain(services)


async def drain(services: Services, *, order: random.Random | None = None) -> list[str]:
    """Apply what the inbox has jobs for, in some order; how each ended."""
    async with services.db.tx() as tx:
        rows = await (
            await tx.connection.execute(
                """update procrastinate_jobs set status = 'succeeded'
                    where task_name = 'payments.stripe_event' and status = 'todo' returning id, args ->> 'event_id'"""
            )
        ).fetchall()
    rows.sort()
    if order:
        order.shuffle(rows)
    return [await told.apply(services, event) for _, event in rows]


async def ledger(db: Database, account: Account, asset: str = "token") -> list[tuple[str, int, int]]:
    """The account's entries, the oldest first: kind, quantity, balance after."""
    async with db.read() as tx:
        rows = await (
            await tx.connection.execute(
                """select kind, quantity, balance_after from wallet.entries
                    where account_id = %s and asset = %s order by position""",
                (account.id, asset),
            )
        ).fetchall()
    return [tuple(row) for row in rows]


async def reversals(db: Database, payment: dict[str, Any]) -> list[tuple[str, int, int, int]]:
    """What went back of a payment: kind, money, credits taken, credits that had been spent."""
    async with db.read() as tx:
        rows = await (
            await tx.connection.execute(
                "select kind, amount, taken, shortfall from payments.reversals where payment_id = %s order by id",
                (payment["id"],),
            )
        ).fetchall()
    return [tuple(row) for row in rows]


async def right(make: Make) -> None:
    """The ledger is consistent: the wallet's and the payments'."""
    await make.books()
    async with make.services.db.read() as tx:
        faults = await books.faults(tx)
    assert faults == [], faults[0]


async def spend(db: Database, account: Account, quantity: int) -> None:
    """Spend tokens, once and for all."""
    async with db.tx() as tx:
        hold = await wallet.hold(tx, account.id, Asset.TOKEN, quantity, key=f"spent {new_id()}")
        assert await wallet.capture(tx, account.id, hold)


async def status(site: Site, account: Account, payment: dict[str, Any]) -> str:
    """Where a payment stands, as its owner sees it."""
    async with site.api(account) as api:
        return (await one(api, payment))["status"]


async def row(db: Database, payment: dict[str, Any], account: Account) -> PaymentRow:
    """The payment itself."""
    async with db.read() as tx:
        return await tx.fetch_one(queries.ONE, account=account.id, id=payment["id"])


async def an_operator(make: Make, db: Database) -> Account:
    """An account that may use the operator's pages."""
    account = await make.account()
    async with db.tx() as tx:
        await tx.connection.execute("insert into accounts.user_roles (account_id, role) values (%s, 'admin')", (account.id,))
    return account
