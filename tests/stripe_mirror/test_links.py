"""Links of customers and accounts: made by an operator, suggested by an address, never made by one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.factories import Make
from tests.server import Site, serving
from tests.stripe_mirror.helpers import ingest, value
from vetrina.accounts.roles import actions as roles
from vetrina.core.database.connection import Database
from vetrina.core.services import Services, connect
from vetrina.core.settings.environment import Settings
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.links import actions as links
from vetrina.stripe_mirror.links import queries as link_queries
from vetrina.stripe_mirror.model import CustomerInUse, CustomerLinked, NoSuchAccount, NoSuchCustomer, SeveralAccounts, Suggestion

NOW = int(time.time())


@pytest_asyncio.fixture
async def site_with_mirror(settings: Settings, database: str) -> AsyncIterator[Site]:
    """Start the site on the folder's database."""
    async with serving(connect(settings, database)) as result:
        yield result


async def add_customers(db: Database, *emails: str | None) -> list[str]:
    """Add customers with these addresses; return their ids."""
    objects: list[dict[str, Any]] = [{**sample.customer(n, NOW), "email": email} for n, email in enumerate(emails)]
    await ingest(db, [sample.event("customer.created", item, NOW, n) for n, item in enumerate(objects)])
    return [item["id"] for item in objects]


async def suggestions(services: Services) -> list[Suggestion]:
    """Return the suggestions."""
    async with services.db.read() as tx:
        return await tx.fetch_all(link_queries.SUGGESTIONS, limit=50)


async def test_shared_address_suggests_but_does_not_link(services: Services, make: Make) -> None:
    account = await make.account(email="ada.links@example.com", confirmed=False)
    one, two, _, _ = await add_customers(services.db, "Ada.Links@Example.com", "ada.links@example.com", None, "other@example.com")
    result = await suggestions(services)
    assert {(item.customer_id, item.account_id, item.customers, item.accounts, item.verified) for item in result} == {
        (one, account.id, 2, 1, False), (two, account.id, 2, 1, False)}  # fmt: skip
    assert await value(services.db, "select count(*) from stripe_mirror.links") == 0
    async with services.db.tx() as tx:
        linked = await links.link(tx, account.id, one)
    assert (linked.account_id, linked.customer_id, linked.customer_email) == (account.id, one, "Ada.Links@Example.com")
    assert [item.customer_id for item in await suggestions(services)] == [two]


async def test_customer_has_one_account(services: Services, make: Make) -> None:
    first, second = await make.account(), await make.account()
    (customer,) = await add_customers(services.db, "x@example.com")
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


async def test_account_has_one_primary_customer(services: Services, make: Make) -> None:
    account = await make.account()
    first, second, third = await add_customers(services.db, "x@example.com", "y@example.com", "z@example.com")
    primary = "select string_agg(customer_id || ' ' || origin, ',') from stripe_mirror.links where is_primary and account_id = %s"
    async with services.db.tx() as tx:
        assert (await links.link(tx, account.id, first)).is_primary
        assert not (await links.link(tx, account.id, second)).is_primary
    async with services.db.tx() as tx:
        await links.unlink(tx, first)
    assert await value(services.db, primary, account.id) == f"{second} operator"
    async with services.db.tx() as tx:
        await tx.connection.execute("insert into payments.customers values (%s, 'stripe', %s)", (account.id, third))
    assert await value(services.db, primary, account.id) == f"{third} checkout"
    with pytest.raises(CustomerInUse):
        async with services.db.tx() as tx:
            await links.unlink(tx, third)
    async with services.db.tx() as tx:
        await links.unlink(tx, second)
    assert await value(services.db, "select count(*) from stripe_mirror.links") == 1


async def test_unknown_customers_and_accounts_are_refused(services: Services, make: Make) -> None:
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


async def test_operator_page(site_with_mirror: Site) -> None:
    make = Make(site_with_mirror.services)
    boss, account = await make.account(), await make.account(email="page.links@example.com")
    async with site_with_mirror.services.db.tx() as tx:
        await roles.grant(tx, boss.id, roles.Role.ADMIN)
    (customer,) = await add_customers(site_with_mirror.services.db, "page.links@example.com")
    async with site_with_mirror.browser(boss) as browser:
        page = (await browser.get("/operator/stripe")).text
        assert "Webhooks are not configured" in page and "/webhooks/stripe" in page and customer in page
        wrong = await browser.post("/operator/stripe/links", data={"account": "nobody@example.com", "customer": customer})
        assert wrong.status_code == 404 and "No account has this id" in wrong.text
        empty = await browser.post("/operator/stripe/links", data={"account": "", "customer": customer})
        assert empty.status_code == 422 and "Enter an account" in empty.text
        done = await browser.post("/operator/stripe/links", data={"account": str(account.id), "customer": customer})
        assert done.status_code == 303
        assert "Remove" in (await browser.get("/operator/stripe")).text
        assert (await browser.post("/operator/stripe/links/removal", data={"customer": customer})).status_code == 303
    assert await value(site_with_mirror.services.db, "select count(*) from stripe_mirror.links") == 0


async def test_page_is_for_operators_only(site_with_mirror: Site) -> None:
    stranger = await Make(site_with_mirror.services).account()
    async with site_with_mirror.browser(stranger) as browser:
        assert (await browser.get("/operator/stripe")).status_code == 403
        assert (await browser.post("/operator/stripe/links", data={"account": "x", "customer": "y"})).status_code == 403
    assert (await site_with_mirror.client.get("/operator/stripe")).status_code == 303
