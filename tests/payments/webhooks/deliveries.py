"""Thousands of webhooks: payments whose stories the fake tells, delivered well, twice, late, forged, in any order."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.factories import Make
from tests.fakes.stripe import SECRET, StripeFake, signed
from tests.fakes.stripe.protocol import Call
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId, new_id

STORIES = ("paid", "declined, then paid", "refunded", "partly refunded", "refund sent back", "disputed", "won", "lost", "expired")
TOKENS, PRICE = 50, 499
ENDS: dict[str, tuple[str, int, int, int, bool]] = {
    # 50 * 200 / 499 = 20.04, rounded down
    "paid": ("completed", 0, 0, 50, False),
    "declined, then paid": ("completed", 0, 0, 50, False),
    "refunded": ("refunded", 499, 0, 0, False),
    "partly refunded": ("completed", 200, 0, 30, False),
    "refund sent back": ("completed", 0, 0, 50, False),
    "disputed": ("disputed", 0, 499, 0, True),
    "won": ("completed", 0, 0, 50, False),
    "lost": ("refunded", 0, 499, 0, False),
    "expired": ("expired", 0, 0, 0, False),
}
"""What must have become of a payment of each story: state, paid back, withdrawn, tokens, frozen."""


@dataclass
class Delivery:
    """One POST; `valid` ones are to be taken in."""

    body: bytes
    secret: str = SECRET
    at: int = 0
    valid: bool = True


@dataclass
class World:
    """Accounts with one payment each, by what becomes of it; the events in the order of happening."""

    payments: dict[AccountId, str] = field(default_factory=dict[AccountId, str])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    forged: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Events of payments that nobody made."""

    def deliveries(self, seed: int, *, copies: int = 3) -> list[Delivery]:
        """Return every event `copies` times and unknown types, shuffled.

        One in ten of all is invalid: a wrong secret (5 %), signed too long ago, signed in the future, a changed body.
        """
        dice = random.Random(seed)
        strange = [
            {**event, "id": f"{event['id']}x", "type": "gift_card.melted"} for event in self.events[:: len(self.events) // 20]
        ]
        result = [Delivery(json.dumps(event).encode()) for event in (*self.events, *strange) for _ in range(copies)]
        for number in range(len(result) // 9):
            body = json.dumps({**dice.choice(self.forged), "id": f"evt_forged{seed}_{number}"}).encode()
            kind = number % 10
            if kind < 5:
                result.append(Delivery(body, secret="whsec_guessed", valid=False))
            elif kind < 7:
                result.append(Delivery(body, at=-301 - number, valid=False))
            elif kind < 9:
                result.append(Delivery(body, at=301 + number, valid=False))
            else:
                result.append(Delivery(body + b" ", secret="changed", valid=False))
        dice.shuffle(result)
        return result


async def world(db: Database, make: Make, fake: StripeFake, count: int) -> World:
    """`count` payments through all stories, and a tenth as many that only forgers tell of."""
    created = World()
    fake.post.hold()
    for number in range(count):
        story = STORIES[number % len(STORIES)]
        account, session = await _payment(db, make, fake)
        created.payments[account] = story
        _live(fake, session, story)
    created.events, fake.post.held = fake.post.held or [], []
    for _ in range(max(2, count // 10)):
        account, session = await _payment(db, make, fake)
        created.payments[account] = "forged"
        _live(fake, session, "paid")
        session |= {"status": "open", "payment_status": "unpaid", "payment_intent": None}  # nobody has paid it
    created.forged, fake.post.held = fake.post.held or [], None
    return created


async def _payment(db: Database, make: Make, fake: StripeFake) -> tuple[AccountId, dict[str, Any]]:
    account, payment = (await make.account(tokens=0)).id, new_id()
    marks = {"vetrina_payment": str(payment), "vetrina_account": str(account)}
    price = {"currency": "usd", "unit_amount": str(PRICE), "product_data": {"name": "Sketchbook"}}
    params = {"mode": "payment", "line_items": [{"quantity": "1", "price_data": price}], "success_url": "http://localhost/",
              "client_reference_id": str(payment), "metadata": marks, "payment_intent_data": {"metadata": marks}}  # fmt: skip
    with fake.lock:
        session = fake.create_session(Call("POST", "/v1/checkout/sessions", params))
        session["metadata"] = {}  # so that it is found by its name
    async with db.tx() as tx:
        await tx.connection.execute(
            """insert into payments.payments
                 (account_id, id, kind, gateway, asset, quantity, amount, currency, description, expires_at)
               values (%s, %s, 'tokens', 'stripe', 'token', %s, %s, 'USD', 'Sketchbook, 50 tokens', now() + interval '1 hour')""",
            (account, payment, TOKENS, PRICE),
        )
        await tx.connection.execute(
            "insert into payments.gateway_refs (gateway, ref, account_id, payment_id) values ('stripe', %s, %s, %s)",
            (session["id"], account, payment),
        )
    return account, session


def _live(fake: StripeFake, session: dict[str, Any], story: str) -> None:
    """What happens to one payment at Stripe."""
    if story == "expired":
        fake.run_out(session)
        return
    if story == "declined, then paid":
        fake.pay(session["id"], "4000000000000002")
    fake.pay(session["id"])
    intent = session["payment_intent"]
    match story:
        case "refunded":
            fake.refund(intent, 100)
            fake.refund(intent)
        case "partly refunded":
            fake.refund(intent, 200)
        case "refund sent back":
            fake.refund_fails(fake.refund(intent, 300)["id"])
        case "disputed":
            fake.dispute(intent)
        case "won" | "lost":
            fake.decide(fake.dispute(intent)["id"], story)
        case _:
            pass


async def deliver(url: str, deliveries: list[Delivery], *, clients: int = 16) -> tuple[Counter[tuple[bool, int]], list[float]]:
    """Send them with so many clients: how many answers by (valid, status), and the seconds until each."""
    answers, seconds = Counter[tuple[bool, int]](), list[float]()
    waiting = iter(deliveries)

    async def client(web: httpx2.AsyncClient) -> None:
        for delivery in waiting:
            head = signed(
                delivery.body, SECRET if delivery.secret == "changed" else delivery.secret, int(time.time()) + delivery.at
            )
            body = delivery.body[:-1] + b"\n" if delivery.secret == "changed" else delivery.body
            began = time.perf_counter()
            answer = await web.post(
                f"{url}/webhooks/stripe", content=body, headers={"Stripe-Signature": head, "Content-Type": "application/json"}
            )
            seconds.append(time.perf_counter() - began)
            answers[delivery.valid, answer.status_code] += 1

    async with httpx2.AsyncClient(timeout=30, trust_env=False) as web:
        await asyncio.gather(*(client(web) for _ in range(clients)))
    return answers, seconds


async def ends(db: Database) -> dict[AccountId, tuple[str, int, int, int, bool]]:
    """What became of each payment: state, paid back, withdrawn, tokens, frozen."""
    async with db.read() as tx:
        rows = await (
            await tx.connection.execute(
                """select p.account_id, p.status, p.refunded, p.disputed, coalesce(w.balance, 0), coalesce(w.frozen, false)
                     from payments.payments p
                     left join wallet.wallets w on w.account_id = p.account_id and w.asset = 'token'"""
            )
        ).fetchall()
    return {AccountId(row[0]): tuple(row[1:]) for row in rows}


def wanted(made: World) -> dict[AccountId, tuple[str, int, int, int, bool]]:
    """What must have become of each."""
    return {account: ENDS.get(story, ("pending", 0, 0, 0, False)) for account, story in made.payments.items()}
