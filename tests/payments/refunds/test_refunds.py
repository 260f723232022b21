"""Refunds that an operator asks for, and moves that the database refuses."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from tests.factories import Make, race
from tests.fakes.stripe import Fault, StripeFake
from tests.payments.helpers import scalar
from tests.payments.stripe_helpers import bought, delivered, reversals, right, row, spend, status
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId, new_id
from vetrina.payments import jobs
from vetrina.payments.model import PaymentRow, RefundExceedsPayment, RefundRow
from vetrina.payments.refunds import actions as refunds
from vetrina.wallet.model import InsufficientCredits


class Asking:
    """Refunds that an operator asks for."""

    def __init__(self, site: Site, payment: PaymentRow) -> None:
        self.site, self.payment = site, payment

    async def __call__(self, amount: int, id: UUID | None = None) -> RefundRow:
        return await refunds.ask(self.site.services, self.payment, amount, id=id or new_id(), reason="asked for", by=None)


async def test_an_operator_pays_back(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, _ = await bought(shop_site, stripe, account)
    ask, key = Asking(shop_site, await row(db, payment, account)), new_id()
    first = await ask(500, key)
    again = await ask(500, key)
    assert (first, first.status) == (again, "succeeded")
    await delivered(shop_site.services, stripe)  # the webhooks of our own refund change nothing
    assert [item["metadata"]["vetrina_refund"] for item in stripe.all("refunds")] == [str(key)]
    assert await reversals(db, payment) == [("refund", 500, 66, 0)]
    with pytest.raises(RefundExceedsPayment):
        await ask(1000)
    await ask(999)
    assert await status(shop_site, account, payment) == "refunded"
    with pytest.raises(RefundExceedsPayment):
        await ask(1)
    await right(make)


async def test_many_operators_pay_back_at_once(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, _ = await bought(shop_site, stripe, account)
    ask = Asking(shop_site, await row(db, payment, account))
    outcomes = await race(8, lambda: ask(1000))
    assert sum(isinstance(outcome, RefundRow) for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, RefundExceedsPayment) for outcome in outcomes) == 7, outcomes
    await delivered(shop_site.services, stripe)
    assert (await row(db, payment, account)).refunded == 1000
    await right(make)


async def test_refund_with_a_lost_response(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, _ = await bought(shop_site, stripe, account)
    stripe.next("refunds", *[Fault(status=500)] * 2)  # done, and never told
    created = await Asking(shop_site, await row(db, payment, account))(1499)
    assert created.status == "asked"
    await jobs.refund(shop_site.services, str(account.id), str(created.id))
    assert len(stripe.all("refunds")) == 1
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "refunded"
    await right(make)


async def test_a_refund_that_stripe_refuses(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)
    stripe.post.hold()
    stripe.refund(intent)  # in the dashboard; we have not heard of it yet
    created = await Asking(shop_site, await row(db, payment, account))(1499)
    assert created.status == "failed" and "already been refunded" in (created.error or "")
    stripe.post.let_go()
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "refunded"
    await right(make)


STATES = ("pending", "completed", "failed", "cancelled", "expired", "refunded", "disputed")
LEGAL = {
    "pending": {"completed", "failed", "cancelled", "expired"},
    "expired": {"completed"},
    "cancelled": {"completed"},
    "failed": {"completed"},
    "completed": {"refunded", "disputed"},
    "disputed": {"completed", "refunded"},
    "refunded": {"completed", "disputed"},
}


async def test_the_database_refuses_illegal_moves(shop_site: Site, stripe: StripeFake, make: Make, owner: str) -> None:
    account = await make.account(tokens=0)
    payment, _ = await bought(shop_site, stripe, account)
    put = "update payments.payments set status = %s where id = %s"
    allowed = set[tuple[str, str]]()
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        for before in STATES:
            await connection.execute("alter table payments.payments disable trigger payment_moves_legally")
            await connection.execute(put, (before, payment["id"]))
            await connection.execute("alter table payments.payments enable trigger payment_moves_legally")
            for after in STATES:
                try:
                    async with connection.transaction(force_rollback=True):
                        await connection.execute(put, (after, payment["id"]))
                except psycopg.errors.CheckViolation as error:
                    assert error.diag.constraint_name == "payment_moves_legally"  # noqa: PT017
                else:
                    allowed.add((before, after))
        assert allowed == {(a, b) for a in STATES for b in STATES if a == b or b in LEGAL[a]}
        with pytest.raises(psycopg.errors.CheckViolation) as stored:
            await connection.execute("delete from payments.payments")
        assert stored.value.diag.constraint_name == "payment_is_kept"


async def test_refunds_and_disputes_do_not_go_back(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    _, intent = await bought(shop_site, stripe, account)
    stripe.refund(intent, 100)
    stripe.decide(stripe.dispute(intent, 200)["id"], "won")
    await delivered(shop_site.services, stripe)
    for table, was, name in (("refunds", "pending", "refund_moves_legally"), ("disputes", "lost", "dispute_ends_once")):
        async with db.connection() as connection:
            with pytest.raises(psycopg.errors.CheckViolation) as refused:
                await connection.execute(f"update payments.{table} set status = %s".encode(), (was,))
        assert refused.value.diag.constraint_name == name


async def test_a_plain_lack_of_tokens_is_no_freeze(make: Make, db: Database) -> None:
    account = await make.account(tokens=1)
    with pytest.raises(InsufficientCredits):
        await spend(db, account, 2)
    assert await scalar(db, "select bool_or(frozen) from wallet.wallets where account_id = %s", AccountId(account.id)) is False
