"""Whose customer is whose: said by an operator, suggested by an address, never linked by one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.factories import Make
from tests.server import Site, serving
from tests.stripe_mirror.helpers import take, value
from vetrina.accounts.roles import actions as roles
from vetrina.core.database.connection import Database
from vetrina.core.services import Services, connect
from vetrina.core.settings import Settings
from vetrina.stripe_mirror import account_links as links
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.model import CustomerLinked, NoSuchAccount, NoSuchCustomer, SeveralAccounts, Suggestion

NOW = int(time.time())


@pytest_asyncio.fixture
async def whole(settings: Settings, database: str) -> AsyncIterator[Site]:
    """The site on the folder's database."""
    async with serving(connect(settings, database)) as found:
        yield found


async def here(db: Database, *emails: str | None) -> list[str]:
    """Customers with these addresses; their ids."""
    made = [{**sample.customer(n, NOW), "email": email} for n, email in enumerate(emails)]
    await take(db, [sample.event("customer.created", each, NOW, n) for n, each in enumerate(made)])
    return [each["id"] for each in made]


async def suggested(services: Services) -> list[Suggestion]:
    """What is suggested."""
    async with services.db.read() as tx:
        return await tx.all(queries.SUGGESTIONS, limit=50)


async def test_an_address_suggests_and_links_nothing(services: Services, make: Make) -> None:
    account = await make.account(email="ada.links@example.com")
    one, two, _, _ = await here(services.db, "Ada.Links@Example.com", "ada.links@example.com", None, "other@example.com")
    found = await suggested(services)
    assert {(each.customer_id, each.account_id, each.customers, each.accounts, each.verified) for each in found} == {
        (one, account.id, 2, 1, False), (two, account.id, 2, 1, False)}  # fmt: skip
    assert await value(services.db, "select count(*) from stripe_mirror.links") == 0
    async with services.db.tx() as tx:
        linked = await links.link(tx, account.id, one)
    assert (linked.account_id, linked.customer_id, linked.customer_email) == (account.id, one, "Ada.Links@Example.com")
    assert [each.customer_id for each in await suggested(services)] == [two]


async def test_a_customer_is_one_accounts(services: Services, make: Make) -> None:
    first, second = await make.account(), await make.account()
    (customer,) = await here(services.db, "x@example.com")
    async with services.db.tx() as tx:
        await links.link(tx, first.id, customer)
        await links.link(tx, first.id, customer)
    with pytest.raises(CustomerLinked):
        async with services.db.tx() as tx:
            await links.link(tx, second.id, customer)
    async with services.db.tx() as tx:
        assert await links.unlink(tx, customer) is True
        assert await links.unlink(tx, customer) is False
        await links.link(tx, second.id, customer)
    assert await value(services.db, "select count(*) from core.audit_logs where action like 'customer_%%' and account_id = %s",
                       first.id) == 2  # fmt: skip


async def test_who_is_not_there_is_not_linked(services: Services, make: Make) -> None:
    account = await make.account(email="twice@example.com")
    await make.account(email="twice@example.com", kind="vendor")
    async with services.db.tx() as tx:
        with pytest.raises(NoSuchCustomer):
            await links.link(tx, account.id, "cus_nobody")
        with pytest.raises(NoSuchAccount):
            await links.account(tx, "nobody@example.com")
        with pytest.raises(SeveralAccounts):
            await links.account(tx, "twice@example.com")
        assert await links.account(tx, str(account.id)) == account.id
        assert (await links.claim(tx, account.id, "cus_made_by_us")).customer_id == "cus_made_by_us"


async def test_the_operators_page(whole: Site) -> None:
    make = Make(whole.services)
    boss, account = await make.account(), await make.account(email="page.links@example.com")
    async with whole.services.db.tx() as tx:
        await roles.grant(tx, boss.id, roles.Role.ADMIN)
    (customer,) = await here(whole.services.db, "page.links@example.com")
    async with whole.browser(boss) as browser:
        page = (await browser.get("/operator/stripe")).text
        assert "No webhook is taken in yet" in page and "/webhooks/stripe" in page and customer in page
        wrong = await browser.post("/operator/stripe/links", data={"account": "nobody@example.com", "customer": customer})
        assert wrong.status_code == 404 and "There is no account" in wrong.text
        empty = await browser.post("/operator/stripe/links", data={"account": "", "customer": customer})
        assert empty.status_code == 422 and "Name the account" in empty.text
        done = await browser.post("/operator/stripe/links", data={"account": str(account.id), "customer": customer})
        assert done.status_code == 303
        assert "Take away" in (await browser.get("/operator/stripe")).text
        assert (await browser.post("/operator/stripe/links/removal", data={"customer": customer})).status_code == 303
    assert await value(whole.services.db, "select count(*) from stripe_mirror.links") == 0


async def test_only_operators_come_in(whole: Site) -> None:
    stranger = await Make(whole.services).account()
    async with whole.browser(stranger) as browser:
        assert (await browser.get("/operator/stripe")).status_code == 403
        assert (await browser.post("/operator/stripe/links", data={"account": "x", "customer": "y"})).status_code == 403
    assert (await whole.client.get("/operator/stripe")).status_code == 303
