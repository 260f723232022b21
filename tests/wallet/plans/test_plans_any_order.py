"""Plans under any sequence of acts: paid months, time, changes of mind, money taken back. What must always hold, holds."""

from __future__ import annotations

import contextlib
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import Account, Make
from tests.thoroughness import by_profile
from tests.wallet.helpers import rows
from tests.wallet.plan_helpers import PRICES, member, pass_time, pay, plan_id, quota
from vetrina.core.database.connection import Database
from vetrina.core.errors import Refusal
from vetrina.core.services import Services
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import actions as plans

ACTS = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from(["basic", "advanced"])),
    st.tuples(st.just("told again"), st.integers(0, 9)),
    st.tuples(st.just("taken back"), st.integers(0, 9)),
    st.tuples(st.just("time"), st.sampled_from(["1 day", "8 days", "1 month", "70 days"])),
    st.tuples(st.just("follows"), st.sampled_from(["free", "basic", "advanced"])),
    st.tuples(st.just("spend"), st.integers(1, 30)),
    st.tuples(st.sampled_from(["cancel", "resume"]), st.none()),
)
LIMITS = {"free": 2, "basic": 20, "advanced": 100}
_names = count()


@settings(
    max_examples=by_profile(full=40, fast=8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(ACTS, min_size=3, max_size=14))
async def test_plan_invariants_hold_in_any_order(
    services: Services, make: Make, db: Database, acts: list[tuple[str, object]]
) -> None:
    account = await make.account()
    months: list[tuple[str, str]] = []
    for act, what in acts:
        with contextlib.suppress(Refusal):  # refused by name; it changes nothing
            await _do(services, db, account, months, act, what)
        await _holds(db, account, months)
    await make.books()


async def _do(services: Services, db: Database, account: Account, months: list[tuple[str, str]], act: str, what: object) -> None:
    if act == "pay":
        months.append((str(what), f"payment:{next(_names)}"))
        assert await pay(db, account, *months[-1])
    elif act in {"told again", "taken back"} and months:
        plan, key = months[int(str(what)) % len(months)]
        if act == "told again":
            assert not await pay(db, account, plan, key)
        else:
            await rows(db, "select wallet.revoke_paid_period(%s, %s)", account.id, key)
    elif act == "time":
        await pass_time(services, account, str(what))
        while (await rows(db, "select wallet.advance_period(%s)", account.id))[0][0]:
            pass
    elif act == "spend":
        async with db.tx() as tx:
            await tx.connection.execute(
                "select wallet.spend(%s, 'conversion', %s, %s)", (account.id, int(str(what)), f"use {next(_names)}")
            )
    elif act in {"cancel", "resume"}:
        async with db.tx() as tx:
            await (plans.cancel if act == "cancel" else plans.resume)(tx, account.id)
    elif act == "follows":
        async with db.tx() as tx:
            await plans.downgrade(tx, account.id, await plan_id(db, str(what)))


async def _holds(db: Database, account: Account, months: list[tuple[str, str]]) -> None:
    result = await member(db, account)
    bucket = await quota(db, account)
    assert bucket.limit == LIMITS[result.plan] and 0 <= bucket.used <= bucket.limit
    assert result.plan in {"free", *PRICES}
    assert (result.state == "grace") == (result.grace_until is not None)
    paid = await rows(db, "select key from wallet.periods where account_id = %s and key like 'payment:%%'", account.id)
    assert sorted(row[0] for row in paid) == sorted(key for _, key in months), "each month that was paid for, once"
    # A plan's allowance, given once for each period that began, and never more than it says.
    gifts = await rows(
        db,
        "select g.quantity::int, p.monthly_conversions_limit from wallet.grants g"
        " join wallet.periods m on m.account_id = g.account_id and g.key = 'plan:conversion:' || m.id"
        " join wallet.plans p on p.id = m.plan_id where g.account_id = %s",
        account.id,
    )
    assert all(quantity == limit for quantity, limit in gifts)
    # Nothing of a period that is over can be spent, but in its days of grace.
    stale = await rows(
        db,
        "select g.key from wallet.grants g join wallet.periods m on m.account_id = g.account_id"
        "  and g.key in ('plan:conversion:' || m.id, 'grace:conversion:' || m.id)"
        " where g.account_id = %s and g.remaining > 0 and g.expires_at > now() and m.paid_value > 0"
        "   and m.id <> (select period_id from wallet.memberships where account_id = g.account_id)",
        account.id,
    )
    assert stale == []
    assert Asset.CONVERSION.value == bucket.asset
