"""Issue 9, 12, against what an account is seen to be served: paid days = days given + days credited, always."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule, run_state_machine_as_test
from psycopg.rows import dict_row

from tests.payments.plans.paid_time import DAY, NOW, PRICES, SLACK, TABLES, TIMES, Payment, Subscription
from tests.thoroughness import by_profile
from vetrina.accounts import queries as accounts
from vetrina.core.database.ids import new_id
from vetrina.payments.settlement import verify_queries as books
from vetrina.wallet import queries
from vetrina.wallet.plans import queries as plans
from vetrina.wallet.plans import verify_queries as paid_time

EXAMPLES, STEPS = by_profile(full=(60, 30), fast=(10, 20))


class PaidTime(RuleBasedStateMachine):
    """One account, its checkouts at gateways of both kinds, and time that passes."""

    connection: psycopg.Connection[Any]
    checkouts = Bundle("checkouts")
    subscriptions = Bundle("subscriptions")

    def __init__(self) -> None:
        super().__init__()
        self.account = new_id()
        self.payments: list[Payment] = []
        self.subs: dict[str, Subscription] = {}
        self.passed = self.grace = 0.0

    def rows(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        """Return every row."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode(), {"account": self.account, **arguments}).fetchall()

    def ask(self, query: str, **arguments: Any) -> Any:
        """Return the first value of the first row."""
        accounted = self.rows(query, **arguments)
        return next(iter(accounted[0].values())) if accounted else None

    @initialize()
    def open_account(self) -> None:
        person = {"kind": "user", "email": f"{self.account}@example.com", "phone": None, "password_hash": None, "name": "Test"}
        self.ask(accounts.INSERT_ACCOUNT.sql, id=self.account, **person)
        self.plans = {name: self.ask("select id from wallet.plans where name = %(name)s", name=name) for name in PRICES}

    def _offer(self, plan: str) -> dict[str, Any] | None:
        """Return today's price, or None where `plans.offer` refuses to sell."""
        (offer,) = self.rows(plans.OFFER.sql, plan=self.plans[plan], currency="IRR")
        if offer["renewal"] and (offer["renewed_by"] or offer["paid_ahead"]):
            return None
        return None if offer["is_downgrade"] and not offer["renewal"] else offer

    def _open(self, plan: str, gateway: str, credit: int, credit_of: UUID | None) -> Payment:
        payment = Payment(new_id(), plan, PRICES[plan] - credit, credit, credit_of)
        self.ask(
            """insert into payments.payments (account_id, id, kind, gateway, plan_id, amount, currency, description, credit,
                                              credit_period, expires_at)
               values (%(account)s, %(id)s, 'plan', %(gateway)s, %(plan)s, %(amount)s, 'IRR', 'A month', %(credit)s, %(of)s,
                       now() + interval '1 hour') returning id""",
            id=payment.id, gateway=gateway, plan=self.plans[plan], amount=payment.amount, credit=credit, of=credit_of,
        )  # fmt: skip
        self.payments.append(payment)
        return payment

    @rule(target=checkouts, plan=st.sampled_from(sorted(PRICES)))
    def open(self, plan: str) -> Any:
        offer = self._offer(plan)
        if offer is None:
            return multiple()
        credit = min(offer["credit"], PRICES[plan] - 1)
        return self._open(plan, "sandbox", credit, offer["credit_period"] if credit else None)

    @rule(payment=checkouts)
    def pay(self, payment: Payment) -> None:
        settled = self.ask("select payments.settle(%(account)s, %(id)s, 'ref', null)", id=payment.id)
        assert settled is not payment.is_paid
        payment.is_paid = True
        if settled:
            self._count_grace(payment)

    @rule(target=subscriptions, plan=st.sampled_from(sorted(PRICES)))
    def open_subscription(self, plan: str) -> Any:
        if self._offer(plan) is None:
            return multiple()
        payment = self._open(plan, "stripe", 0, None)
        payment.sub = f"sub_{payment.id.hex}"
        self.subs[payment.sub] = Subscription(payment)
        return payment.sub

    @rule(sub=subscriptions)
    def subscribe(self, sub: str) -> None:
        subscription = self.subs[sub]
        if not subscription.first.is_paid:
            assert self.ask("select payments.settle(%(account)s, %(id)s, %(sub)s, null)", id=subscription.first.id, sub=sub)
            subscription.first.is_paid = True
            self._count_grace(subscription.first)
            subscription.due = self._month_after(self.passed)

    @rule(sub=subscriptions, early=st.booleans())
    def renew(self, sub: str, early: bool) -> None:
        """Stripe reports a month as paid: at its start, some time after it, or a day before."""
        subscription = self.subs[sub]
        if not subscription.first.is_paid or subscription.is_over or subscription.due - self.passed > (DAY if early else 0):
            return
        invoice, start = f"in_{new_id()}", subscription.due
        subscription.due = self._month_after(start)
        assert self.ask(
            """select payments.renew(%(account)s, %(first)s, %(plan)s, %(invoice)s, %(sub)s, %(amount)s, 0, 'IRR',
                 clock_timestamp() + make_interval(secs => %(start)s), clock_timestamp() + make_interval(secs => %(end)s))""",
            first=subscription.first.id, plan=self.plans[subscription.first.plan], invoice=invoice, sub=sub,
            amount=PRICES[subscription.first.plan], start=start - self.passed, end=subscription.due - self.passed,
        )  # fmt: skip
        named = self.ask("select payment_id from payments.gateway_refs where ref = %(ref)s", ref=invoice)
        self.payments.append(Payment(named, subscription.first.plan, PRICES[subscription.first.plan], 0, None, sub, True))
        self._count_grace(self.payments[-1])

    def _count_grace(self, payment: Payment) -> None:
        """Count the days of grace as served by the month that was due, which began with them."""
        started = self.ask(
            "select extract(epoch from clock_timestamp() - starts_at)::float8 from wallet.periods"
            " where account_id = %(account)s and key = 'payment:' || %(id)s::uuid and started_at is not null",
            id=payment.id,
        )
        if started is not None and started > SLACK:
            assert abs(started - self.grace) < SLACK, "it began before anything was given for it"
            payment.served += started

    def _month_after(self, start: float) -> float:
        """Return the second, on the machine's clock, a calendar month after another."""
        return start + float(
            self.ask(
                "select extract(epoch from (d + interval '1 month') - d) from"
                " (select (now() at time zone 'UTC') + make_interval(secs => %(at)s) as d) t",
                at=start - self.passed,
            )
        )

    @rule(sub=subscriptions)
    def end_at_stripe(self, sub: str) -> None:
        self.subs[sub].is_over = True
        self.ask("select wallet.end_renewals(%(account)s, %(sub)s)", sub=sub)

    @rule(payment=checkouts | subscriptions)
    def refund(self, payment: Payment | str) -> None:
        payment = self.subs[payment].first if isinstance(payment, str) else payment
        if payment.is_paid and not payment.refund:
            payment.refund = f"re_{payment.id}"
            self._refund(payment, payment.refund, "succeeded")

    @rule(payment=checkouts)
    def refund_fails(self, payment: Payment) -> None:
        if payment.refund.startswith("re_"):
            self._refund(payment, payment.refund, "failed")
            payment.refund = f"failed {payment.refund}"

    @rule(fails=st.booleans())
    def carry_refunds(self, fails: bool) -> None:
        """The gateway answers to the refunds that payments asked for themselves."""
        refunds = self.rows(
            "select id, payment_id from payments.refunds where account_id = %(account)s and is_automatic and status = 'asked'"
        )
        for row in refunds:
            payment = next(payment for payment in self.payments if payment.id == row["payment_id"])
            if not payment.refund:
                self._refund(payment, None if fails else f"re_{payment.id}", "failed" if fails else "succeeded", row["id"])
                payment.refund = "failed" if fails else f"re_{payment.id}"

    def _refund(self, payment: Payment, ref: str | None, status: str, ours: UUID | None = None) -> None:
        self.ask("select payments.record_refund(%(account)s, %(id)s, %(ours)s, %(ref)s, %(amount)s, %(status)s, null)",
                 id=payment.id, ours=ours, ref=ref, amount=payment.amount, status=status)  # fmt: skip

    @rule(change=st.sampled_from(["cancel", "resume", "basic"]))
    def change_mind(self, change: str) -> None:
        statement = {"cancel": plans.CANCEL_AT_PERIOD_END, "resume": plans.RESUME, "basic": plans.SET_NEXT_PLAN}[change]
        offer = self.rows(plans.OFFER.sql, plan=self.plans["basic"], currency="IRR")[0]
        if change != "basic" or (offer["paid"] and offer["is_downgrade"] and not offer["current"]):
            self.connection.execute(statement.sql.encode(), {"account": self.account, "plan": self.plans["basic"]})

    @rule(quantity=st.integers(1, 30))
    def spend(self, quantity: int) -> None:
        self.ask("select wallet.spend(%(account)s, 'conversion', %(quantity)s, %(key)s)", quantity=quantity, key=str(new_id()))

    @rule(days=st.sampled_from([1, 4, 8, 15, 31, 45]))
    def days_pass(self, days: int) -> None:
        left = days * DAY
        while left > 0:
            left -= self._pass(left)

    def _pass(self, most: float) -> float:
        """Let time pass up to the next change of the membership, and count whom it served."""
        (now,) = self.rows(NOW)
        step = min(most, max(now["until"], 0) + 0.001)
        self.grace = self.grace + step if now["is_grace"] else 0
        payment = self._named(now["key"]) if now["key"] else None
        if payment is not None:
            payment.served += min(step, max(now["served"], 0))
        for table, columns in TABLES.items():
            changes = ", ".join(f"{column} = {column} - make_interval(secs => %(step)s)" for column in columns)
            changes += ", key = replace(key, 'free:', id || ' free:')" if table == "wallet.periods" else ""
            self.connection.execute(
                f"update {table} set {changes} where account_id = %(account)s".encode(), {"account": self.account, "step": step}
            )
        self.passed += step
        while self.ask("select wallet.advance_period(%(account)s)"):
            pass
        return step

    def _named(self, key: str) -> Payment:
        return next(payment for payment in self.payments if str(payment.id) == key.split(":")[1])

    @invariant()
    def paid_days_are_given_or_credited(self) -> None:
        jobs = self.rows("select args from procrastinate_jobs where task_name = 'payments.end_subscription'")
        ended = {row["args"]["ref"]: row["args"].get("prorate", True) for row in jobs}
        for sub in ended.keys() & self.subs.keys():
            self.subs[sub].is_over = True
        times = self.rows(TIMES)
        for payment in self.payments:
            months = [row for row in times if f":{payment.id}" in row["key"]]
            returned = payment.refund.startswith("re_")
            if not payment.is_paid:
                assert months == []
            elif not months:
                status = self.ask("select status from payments.refunds where payment_id = %(id)s and is_automatic", id=payment.id)
                assert status in {"asked", "succeeded"}, "paid, and neither a month nor its money"
            for row in months:
                self._is_whole(payment, row)
                assert not row["revoked"] or returned, "taken back without its money"
                assert not (returned and row["waiting"]), "its money is back and its time is not"
                if row["credited"]:
                    self._is_credited(payment, row, ended)
            bought = sum(row["bought"] or 0 for row in months)
            accounted = payment.served + sum(row["left"] + row["waiting"] + row["credited"] + row["revoked"] for row in months)
            assert abs(bought - accounted) < SLACK, f"{bought / DAY} days were paid and {accounted / DAY} given or credited"

    def _is_whole(self, payment: Payment, row: dict[str, Any]) -> None:
        """Assert that a payment bought a month, or of an overtaken price what its money buys."""
        if row["bought"] is not None:
            share = payment.amount / (payment.amount + payment.credit) if payment.refund.startswith("failed") else 1
            assert 28 * DAY * share - SLACK <= row["bought"] <= 31 * DAY + SLACK, "a month is 28 to 31 days"

    def _is_credited(self, payment: Payment, row: dict[str, Any], ended: dict[str, bool]) -> None:
        """Assert that time which was credited went into a price, or is the gateway's to credit."""
        if ended.get(payment.sub):
            return
        credits = [
            row["credit"]
            for row in self.rows(
                "select x.credit from payments.payments x where x.account_id = %(account)s and x.paid_at is not null"
                " and x.credit_period in (select id from wallet.periods where account_id = %(account)s"
                " and %(root)s in (id, rest_of))",
                root=row["id"],
            )
        ]
        returned = payment.credit if payment.refund else 0
        worth = PRICES[payment.plan] * row["credited"] / (row["bought"] or 31 * DAY)
        assert max(credits, default=0) + returned >= worth * 0.99 - 2, "time went and its worth was not credited"

    def teardown(self) -> None:
        """Let everything run out: what was paid for has been served, credited or refunded."""
        if not hasattr(self, "plans"):
            return
        for _ in range(60):
            if self.ask("select count(*) from wallet.periods where account_id = %(account)s and started_at is null") == 0:
                break
            self.days_pass(31)
        self.paid_days_are_given_or_credited()
        waiting = self.ask("select count(*) from wallet.periods where account_id = %(account)s and started_at is null")
        assert waiting == 0, "a paid month never begins"


def _run(examples: int = EXAMPLES, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    limits = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=tuple(HealthCheck.__members__.values()),
    )
    run_state_machine_as_test(PaidTime, settings=limits)


def _run_and_verify(database: str, examples: int) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        PaidTime.connection = connection
        _run(examples)
        for statement in (queries.FAULTS, books.FAULTS, paid_time.FAULTS):
            assert connection.execute(statement.sql.encode(), {"limit": 5}).fetchall() == []


def test_9_12_paid_days_are_days_given_and_days_credited(database: str) -> None:
    _run_and_verify(database, EXAMPLES)


@pytest.mark.torture
def test_9_12_paid_days_in_thousands_of_stories(database: str) -> None:
    _run_and_verify(database, 1500)


def test_9_12_the_machine_finds_a_rest_that_is_lost(database: str, owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("create or replace function wallet.add_rest(p_account uuid, p_period uuid, p_left interval,"
                           " p_at timestamptz) returns void language sql as ''")  # fmt: skip
    with psycopg.connect(database, autocommit=True) as connection:
        PaidTime.connection = connection
        with pytest.raises(AssertionError, match="days were paid"):
            _run(500, (Phase.generate,))
