"""What the wallet, payments, the library and the studio notify accounts of."""

from __future__ import annotations

from typing import Any

from tests.factories import Account, Make
from tests.gallery.helpers import upload
from tests.notifications.helpers import listed, texts
from tests.server import Site
from tests.studio.helpers import ended, wish
from vetrina.core.services import Services

PAYMENT = """
    insert into payments.payments (account_id, id, kind, gateway, asset, quantity, amount, currency, description, expires_at)
    values (%s, core.new_id(), 'tokens', 'sandbox', 'token', 10, 1234, 'EUR', 'Ten tokens', now() + interval '1 hour')
    returning id"""


async def run(site: Site, statement: Any, *values: Any) -> Any:
    """Run a statement as the database's own functions would and return its first row, if it has one."""
    async with site.services.db.tx() as tx:
        rows = await tx.connection.execute(statement, values)
        return await rows.fetchone() if rows.description else None


async def test_payments_received_and_refunded(site: Site, make: Make) -> None:
    account = await make.account()
    (payment,) = await run(site, PAYMENT, account.id)
    assert await texts(site, account) == []
    await run(site, "update payments.payments set status = 'completed', paid_at = now() where id = %s", payment)
    (notification,) = await listed(site, account)
    assert (notification["text"], notification["href"]) == ("Your payment of €12.34 was received", f"/payments/{payment}")
    await run(site, "update payments.payments set status = 'refunded', refunded = 1000 where id = %s", payment)
    assert (await texts(site, account))[0] == "€10.00 was paid back to you"


async def test_a_failed_payment(site: Site, make: Make) -> None:
    account = await make.account()
    (payment,) = await run(site, PAYMENT, account.id)
    await run(site, "update payments.payments set status = 'failed', failure_reason = 'declined' where id = %s", payment)
    assert await texts(site, account) == ["Your payment of €12.34 failed"]


async def test_a_grant_of_the_plan_that_is_nearly_used(site: Site, make: Make) -> None:
    account: Account = await make.account()
    insert = """
        insert into wallet.grants (account_id, id, asset, source, quantity, remaining, key)
        values (%s, core.new_id(), 'token', 'plan', 100, 100, 'test')"""
    async with site.services.db.tx() as tx:
        await tx.connection.execute(insert, (account.id,))
        for remaining in (21, 20, 3):
            await tx.connection.execute(
                "update wallet.grants set remaining = %s where account_id = %s and key = 'test'", (remaining, account.id)
            )
            rows = await tx.connection.execute(
                "select count(*) from notifications.notifications where account_id = %s", (account.id,)
            )
            assert await rows.fetchone() == (0 if remaining == 21 else 1,)
    assert await texts(site, account) == ["Four fifths of this month's credits are used"]


async def test_a_plan_that_ends(site: Site, make: Make) -> None:
    from vetrina.wallet.plans import jobs

    account = await make.account()
    changed = """
        update wallet.memberships set cancel_at_period_end = true, period_end = now() + interval '2 days' where account_id = %s"""
    await run(site, changed, account.id)
    for _ in range(2):
        await jobs.notify_ending(site.services)
    assert await texts(site, account) == ["Your plan ends in a few days"]


async def test_a_removed_picture_and_its_return(site: Site, make: Make) -> None:
    account = await make.account()
    file = await upload(site, account)
    await run(
        site,
        "insert into media.takedowns (account_id, file_id, reason, was_public) values (%s, %s, 'No', true)",
        account.id,
        file,
    )
    await run(site, "delete from media.takedowns where account_id = %s", account.id)
    assert await texts(site, account) == [
        "A picture of yours that was removed may be public again",
        "An operator removed a picture of yours from public places",
    ]


async def test_a_picture_that_is_ready(site: Site, worker: Services, make: Make) -> None:
    account = await make.account()
    file = await upload(site, account)
    async with site.api(account) as api:
        started = (await api.post("/generations", json=wish(file))).json()
        assert (await ended(api, started["id"]))["status"] == "completed"
    (notification,) = await listed(site, account)
    assert (notification["text"], notification["href"]) == ("Your picture is ready", f"/studio/generations/{started['id']}")
