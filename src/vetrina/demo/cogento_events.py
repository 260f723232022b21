"""A generated year of a membership at Stripe: every event that Stripe would send, and the expected figures.

The expected figures are recorded during generation, without a database, so that the site's own can be compared with them.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.consistency.sample_data import AFTER, BEFORE, DAY

MEMBERS = 420
DAYS = 400
"""Days that the history covers."""
CURRENCIES = ("eur",) * 8 + ("usd",) * 2 + ("gbp",)
PLANS = ((0, 900, "month"), (1, 1900, "month"), (2, 4900, "month"), (3, 118800, "year"))
"""Product, price in minor units, interval."""


@dataclass
class State:
    """A subscription's state from a moment on: its status, and its monthly amount while it is paid."""

    at: int
    status: str
    monthly: int

    @property
    def counts(self) -> int:
        """Return the part that counts as recurring revenue."""
        return self.monthly if self.status in {"active", "past_due"} else 0


@dataclass
class Subscription:
    """One subscription and all its states."""

    number: int
    customer: str
    currency: str
    born: int
    plan: int
    shape: str
    states: list[State] = field(default_factory=list[State])


@dataclass
class World:
    """Every event in chronological order, and the expected figures."""

    tag: str
    now: int
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    subscriptions: list[Subscription] = field(default_factory=list[Subscription])
    metadata: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Final metadata of customers that are not deleted."""
    kinds: Counter[str] = field(default_factory=Counter[str])
    """Types of the members' subscriptions."""
    invoiced: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Sums paid on invoices, by month (2026-03) and currency."""
    failed: Counter[str] = field(default_factory=Counter[str])
    """Counts of invoices: failed, recovered, lost."""
    ties: int = 0

    def append_event(self, kind: str, data: dict[str, Any], at: int, shape: str = AFTER) -> None:
        """Append an event. Ids rise, so that of two events in the same second the later one wins."""
        self.events.append(sample.event(kind, data, at, f"_{self.tag}_{len(self.events):07}", shape=shape))

    def monthly(self, at: int) -> Counter[str]:
        """Return recurring revenue by currency at the end of the second `at`."""
        amounts: Counter[str] = Counter()
        for (_, currency), amount in self.by_customer(at).items():
            amounts[currency] += amount
        return amounts

    def by_customer(self, at: int) -> Counter[tuple[str, str]]:
        """Return recurring revenue by customer and currency."""
        amounts: Counter[tuple[str, str]] = Counter()
        for subscription in self.subscriptions:
            past = [state for state in subscription.states if state.at <= at]
            if past:
                amounts[subscription.customer, subscription.currency] += past[-1].counts
        return amounts


def make(tag: str, now: int, *, members: int = MEMBERS, seed: int = 1) -> World:
    """Generate the whole history, ending at `now` (Unix seconds)."""
    rng = random.Random(seed)
    world = World(tag, now)
    begins = now - DAYS * DAY
    for n in range(4):
        world.append_event("product.created", sample.product(n, begins), begins)
        world.append_event("price.created", sample.price(n, begins), begins)
    for number in range(members):
        _Life(world, random.Random(rng.random()), number).live(begins + rng.randrange((DAYS - 10) * DAY))
    return world


class _Life:
    """One member: joins, pays, changes plan, leaves, perhaps returns."""

    def __init__(self, world: World, rng: random.Random, number: int) -> None:
        self.world, self.rng, self.number = world, rng, number
        self.shape = rng.choice((BEFORE, AFTER))
        self.customer: dict[str, Any] = {}

    def live(self, at: int) -> None:
        world, rng = self.world, self.rng
        customer = sample.customer(self.number, at, rng=rng)
        self.customer = {**customer, "id": f"cus_{world.tag}_{self.number:05}"}
        self.customer["metadata"] = {**customer["metadata"], "demo": world.tag}
        world.append_event("customer.created", self.customer, at, self.shape)
        if rng.random() < 0.4:
            later = at + rng.randrange(1, 60) * DAY
            if later < world.now:
                self.customer["metadata"] = {**self.customer["metadata"], "membership_type": rng.choice(("Adult", "Family"))}
                self.customer["metadata"].pop("joined")
                world.append_event("customer.updated", self.customer, later, self.shape)
        world.metadata[self.customer["id"]] = self.customer["metadata"]
        left = self._subscribe(at + 60, self.number)
        if left and rng.random() < 0.3:
            again = left + rng.randrange(35, 90) * DAY
            left = self._subscribe(again, 50_000 + self.number) if again < world.now else left
        if left and left + DAY < world.now and rng.random() < 0.15:
            world.append_event("customer.deleted", self.customer, left + DAY, self.shape)
            world.append_event("customer.updated", {**self.customer, "name": "Too late"}, left + DAY - 5, self.shape)
            del world.metadata[self.customer["id"]]

    def _subscribe(self, at: int, number: int) -> int | None:
        """Generate a subscription from its first day on; return when it ended, None if it continues."""
        world, rng = self.world, self.rng
        sub = Subscription(number, self.customer["id"], rng.choice(CURRENCIES), at, rng.choice((0, 0, 1, 1, 2, 3)), self.shape)
        world.subscriptions.append(sub)
        world.kinds[_type(number)] += 1
        trying = rng.random() < 0.2
        self._state(sub, at, "trialing" if trying else "active", "created")
        due = at + 14 * DAY if trying else at
        if trying and due < world.now:
            self._state(sub, due, "active")
        while due < world.now:
            length = (365 if PLANS[sub.plan][2] == "year" else 30) * DAY
            if due > at:
                self._state(sub, due, sub.states[-1].status)  # the new period
            if rng.random() < 0.06:
                ended = self._fail(sub, due)
                if ended:
                    return ended
            else:
                self._pay(sub, due, 1, due)
            if rng.random() < 0.045 and (left := due + rng.randrange(11, 25) * DAY) < world.now:
                self._state(sub, left, "canceled", "deleted")
                return left
            if rng.random() < 0.08 and (moved := due + rng.randrange(11, 25) * DAY) < world.now:
                self._change(sub, moved)
            due += length
        return None

    def _change(self, sub: Subscription, at: int) -> None:
        """Change the plan; sometimes twice within the same second."""
        choices = [n for n in range(3) if n != sub.plan]
        if self.rng.random() < 0.3:
            sub.plan = self.rng.choice(choices)
            self._state(sub, at, sub.states[-1].status)
            self.world.ties += 1
        sub.plan = self.rng.choice(choices)
        self._state(sub, at, sub.states[-1].status)

    def _fail(self, sub: Subscription, due: int) -> int | None:
        """Generate a failed payment: most recover within days, the others end the subscription."""
        world = self.world
        invoice = self._invoice(sub, due, "open", 1)
        world.append_event("invoice.payment_failed", invoice, due, sub.shape)
        world.failed["failed"] += 1
        self._state(sub, due + 40, "past_due")
        if self.rng.random() < 0.7:
            back = due + self.rng.randrange(2, 9) * DAY
            if back < world.now:
                self._pay(sub, due, 2, back)
                self._state(sub, back + 40, "active")
                world.failed["recovered"] += 1
        elif (ended := due + 10 * DAY) < world.now:
            world.append_event("invoice.marked_uncollectible", {**invoice, "status": "uncollectible"}, ended, sub.shape)
            self._state(sub, ended + 40, "canceled", "deleted")
            world.failed["lost"] += 1
            return ended + 40
        return None

    def _pay(self, sub: Subscription, due: int, attempts: int, at: int) -> None:
        invoice = self._invoice(sub, due, "paid", attempts)
        invoice["status_transitions"] = {**invoice["status_transitions"], "paid_at": at}
        self.world.append_event("invoice.paid", invoice, at, sub.shape)
        self.world.invoiced[month_of(at), sub.currency] += invoice["total"]
        self.world.append_event("charge.succeeded", _charge(invoice, at), at, sub.shape)

    def _invoice(self, sub: Subscription, due: int, status: str, attempts: int) -> dict[str, Any]:
        invoice = sample.invoice(sub.number, due, shape=sub.shape, status=status, amount=PLANS[sub.plan][1])
        invoice |= {"id": f"in_{self.world.tag}_{sub.number}_{due}", "currency": sub.currency, "attempt_count": attempts}
        invoice |= {"customer": sub.customer, "number": f"{self.world.tag}-{sub.number}-{due % 10**6}"}
        details = invoice if "subscription" in invoice else invoice["parent"]["subscription_details"]
        details["subscription"] = _id(self.world.tag, sub.number)
        return invoice

    def _state(self, sub: Subscription, at: int, status: str, verb: str = "updated") -> None:
        """Record a state from now on, with its event."""
        product, amount, interval = PLANS[sub.plan]
        state = sample.subscription(sub.number, sub.born, shape=sub.shape, status=status, customer_id=sub.customer)
        length = (365 if interval == "year" else 30) * DAY
        starts = sub.born + (at - sub.born) // length * length
        period = {"current_period_start": starts, "current_period_end": starts + length}
        item = state["items"]["data"][0]
        item["price"] = {**sample.price(product, sub.born), "currency": sub.currency, "unit_amount": amount,
                         "unit_amount_decimal": str(amount)}  # fmt: skip
        item["price"]["recurring"]["interval"] = interval
        (state if sub.shape < AFTER else item).update(period)
        state |= {"id": _id(self.world.tag, sub.number), "currency": sub.currency}
        state["metadata"] = {**state["metadata"], "subscription_type": _type(sub.number), "demo": self.world.tag}
        if status == "canceled":
            state |= {"ended_at": at, "canceled_at": at, "cancel_at_period_end": False}
        self.world.append_event(f"customer.subscription.{verb}", state, at, sub.shape)
        sub.states.append(State(at, status, amount // (12 if interval == "year" else 1)))


def month_of(at: int) -> str:
    """Return the month of a moment in UTC: 2026-03."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m}"


def _id(tag: str, number: int) -> str:
    return f"sub_{tag}_{number:05}"


def _type(number: int) -> str:
    return ("Basic", "Plus", "Premium", "Studio")[number % 4]


def _charge(invoice: dict[str, Any], at: int) -> dict[str, Any]:
    amount = invoice["total"]
    return {
        "id": invoice["id"].replace("in_", "ch_"), "object": "charge", "created": at, "livemode": False, "amount": amount,
        "amount_captured": amount, "amount_refunded": 0, "captured": True, "currency": invoice["currency"], "paid": True,
        "customer": invoice["customer"], "description": "Membership", "disputed": False, "failure_code": None,
        "failure_message": None, "fraud_details": {}, "invoice": None, "metadata": {}, "refunded": False, "status": "succeeded",
        "billing_details": {"address": {"city": None, "country": "BE", "line1": None, "postal_code": None, "state": None},
                            "email": invoice["customer_email"], "name": None, "phone": None},
        "outcome": {"network_status": "approved_by_network", "reason": None, "risk_level": "normal", "type": "authorized",
                    "seller_message": "Payment complete."},
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "country": "BE", "exp_month": 4, "exp_year": 2029,
                                                            "funding": "debit", "last4": "4242", "network": "visa"}},
    }  # fmt: skip
