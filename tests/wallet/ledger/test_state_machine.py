"""The wallet against a model of it: whatever is given, held, captured, released and expires, the books are right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule, run_state_machine_as_test

from tests.thoroughness import by_profile
from vetrina.accounts import queries as accounts
from vetrina.core.database.ids import new_id
from vetrina.wallet import queries

EXAMPLES, STEPS = by_profile(full=(500, 50), fast=(50, 30))
MOMENT = timedelta(minutes=1)
"""Longer than an example takes; every date of the model is further from now than this."""


@dataclass
class Grant:
    """A grant as the model knows it."""

    id: UUID
    remaining: int
    expires_at: datetime | None
    extended: bool = False

    def order(self) -> tuple[bool, Any, bytes]:
        """Soonest-expiring first, then by id."""
        return (self.expires_at is None, self.expires_at or 0, self.id.bytes)


class Wallet(RuleBasedStateMachine):
    """One account's tokens. Time passes by moving every grant's end nearer."""

    connection: psycopg.Connection[Any]
    holds = Bundle("holds")
    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.account = new_id()
        self.grants: dict[UUID, Grant] = {}
        self.open: dict[UUID, list[tuple[UUID, int]]] = {}
        self.granted = self.used = 0

    def ask(self, sql: str, **arguments: Any) -> Any:
        """The first value of the first row."""
        row = self.connection.execute(sql.encode(), {"account": self.account, **arguments}).fetchone()
        return row[0] if row else None

    @property
    def balance(self) -> int:
        """What can be spent, or could until it expired."""
        return sum(grant.remaining for grant in self.grants.values())

    @initialize()
    def open_account(self) -> None:
        person = {"kind": "user", "email": f"{self.account}@example.com", "phone": None, "password_hash": None, "name": "Test"}
        self.ask(accounts.INSERT_ACCOUNT.sql, id=self.account, **person)
        self.ask("select accounts.confirm_identifier('user', %(email)s, null, %(id)s, null)", id=self.account, **person)
        welcome = self.ask("select id from wallet.grants where account_id = %(account)s and asset = 'token'")
        self.grants[welcome] = Grant(welcome, 20, None)
        self.granted = 20

    @rule(target=keys, quantity=st.integers(1, 30), days=st.none() | st.integers(-1, 6))
    def give(self, quantity: int, days: int | None) -> str:
        key = str(new_id())
        ends = None if days is None else self.ask("select now()") + timedelta(days=days, hours=len(self.grants) % 12 + 1)
        created = self._give(key, quantity, ends)
        self.grants[created] = Grant(created, quantity, ends)
        self.granted += quantity
        return key

    @rule(key=keys, quantity=st.integers(1, 30))
    def give_again(self, key: str, quantity: int) -> None:
        assert self._give(key, quantity, None) in self.grants

    @rule(target=holds, quantity=st.integers(1, 40))
    def hold(self, quantity: int) -> UUID:
        key = f"hold {new_id()}"
        held = self.ask(queries.HOLD.sql, asset="token", quantity=quantity, key=key)
        self._expire()
        if self.balance < quantity:
            assert held is None
            return new_id()
        parts: list[tuple[UUID, int]] = []
        left = quantity
        for grant in sorted(self.grants.values(), key=Grant.order):
            part = min(left, grant.remaining)
            if part:
                grant.remaining -= part
                left -= part
                parts.append((grant.id, part))
        assert left == 0
        self.open[held] = parts
        assert self.ask(queries.HOLD.sql, asset="token", quantity=quantity + 1, key=key) == held, "a replay is the first hold"
        return held

    @rule(held=holds)
    def capture(self, held: UUID) -> None:
        parts = self.open.pop(held, None)
        assert self.ask(queries.CAPTURE.sql, hold=held) is (parts is not None)
        self.used += sum(part for _, part in parts or ())

    @rule(held=holds)
    def release(self, held: UUID) -> None:
        parts = self.open.pop(held, None)
        now = self.ask("select now()")
        assert self.ask(queries.RELEASE.sql, hold=held, reason="test") is (parts is not None)
        for grant, part in parts or ():
            item = self.grants[grant]
            item.remaining += part
            if item.expires_at and item.expires_at <= now and not item.extended:
                item.extended = True
                item.expires_at = self.ask("select expires_at from wallet.grants where id = %(id)s", id=grant)
                assert item.expires_at is not None and abs(item.expires_at - now - timedelta(days=1)) < MOMENT

    @rule(held=consumes(holds))
    def end_twice(self, held: UUID) -> None:
        self.release(held)
        assert self.ask(queries.CAPTURE.sql, hold=held) is False
        assert self.ask(queries.RELEASE.sql, hold=held, reason="again") is False

    @rule()
    def expire(self) -> None:
        before = self.balance
        self._expire()
        assert self.ask("select wallet.expire(%(account)s, 'token')") == before - self.balance

    @rule(days=st.integers(1, 3))
    def days_pass(self, days: int) -> None:
        self.ask(
            "with aged as (update wallet.grants set expires_at = expires_at - make_interval(days => %(days)s)"
            " where account_id = %(account)s returning id) select count(*) from aged",
            days=days,
        )
        for grant in self.grants.values():
            grant.expires_at = grant.expires_at and grant.expires_at - timedelta(days=days)

    @invariant()
    def agrees_with_the_model(self) -> None:
        row = self.connection.execute(
            "select balance, held, lifetime_granted, lifetime_used from wallet.wallets where account_id = %s and asset = 'token'",
            (self.account,),
        ).fetchone()
        held = sum(part for parts in self.open.values() for _, part in parts)
        assert row == (self.balance, held, self.granted, self.used)
        left = self.connection.execute(
            "select id, remaining, expires_at from wallet.grants where account_id = %s and asset = 'token'", (self.account,)
        ).fetchall()
        assert sorted(left) == sorted((grant.id, grant.remaining, grant.expires_at) for grant in self.grants.values())

    def teardown(self) -> None:
        """The ledger of this account adds up; the books of all of them are read at the end."""
        wrong = """select id from (select id, balance_after, sum(quantity) over (order by position) as sum from wallet.entries
                    where account_id = %(account)s and asset = 'token') running where sum <> balance_after limit 1"""
        assert self.ask(wrong) is None
        total = self.ask("select sum(quantity) from wallet.entries where account_id = %(account)s and asset = 'token'")
        assert total == self.balance

    def _give(self, key: str, quantity: int, ends: datetime | None) -> UUID:
        terms = {"quantity": quantity, "source": "gift", "key": key, "expires_at": ends, "note": None}
        return self.ask(queries.GRANT.sql, asset="token", **terms)

    def _expire(self) -> None:
        now = self.ask("select now()")
        for grant in self.grants.values():
            if grant.expires_at and grant.expires_at <= now:
                grant.remaining = 0


@contextmanager
def _connected(uri: str) -> Iterator[None]:
    with psycopg.connect(uri, autocommit=True) as connection:
        Wallet.connection = connection
        yield


def test_the_wallet_is_its_model(database: str) -> None:
    with _connected(database):
        run_state_machine_as_test(
            Wallet,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=tuple(HealthCheck.__members__.values()),
            ),
        )
        assert Wallet.connection.execute(queries.FAULTS.sql.encode(), {"limit": 5}).fetchall() == []
