"""Prices in several currencies agree by the stated rates, and operators see where they do not."""

from __future__ import annotations

import pytest

from tests.factories import Make
from tests.server import Site
from tests.wallet.packs.test_packs import appoint
from vetrina.accounts.roles.actions import Role
from vetrina.core.database.connection import Database
from vetrina.wallet.packs import agreement
from vetrina.wallet.packs.agreement import Disagreement


async def run(db: Database, sql: str) -> None:
    """Run a statement."""
    async with db.tx() as tx:
        await tx.connection.execute(sql.encode())


async def disagreements(db: Database) -> list[Disagreement]:
    """Return the disagreements of the price list."""
    async with db.read() as tx:
        return await agreement.disagreements(tx)


async def test_the_price_list_as_installed_agrees(db: Database) -> None:
    assert await disagreements(db) == []
    async with db.read() as tx:
        rows = await (await tx.connection.execute("select name, price from wallet.packs where currency = 'IRR'")).fetchall()
    assert dict(rows) == {"tokens_50_irr": 50_000, "tokens_200_irr": 150_000, "tokens_1000_irr": 600_000,
                          "contacts_10_irr": 150_000, "contacts_50_irr": 500_000, "posting_1_irr": 50_000}  # fmt: skip


@pytest.mark.parametrize(
    ("price", "agrees"), [(54_890, True), (54_900, False), (44_910, True), (44_900, False), (500_000, False)]
)
async def test_a_tenth_more_or_less_agrees(db: Database, price: int, agrees: bool) -> None:
    """50 tokens are 4.99 dollars: 49,900 rials by the stated rate."""
    await run(db, f"update wallet.packs set price = {price} where name = 'tokens_50_irr'")
    expected = [] if agrees else [Disagreement("50 tokens", 499, "USD", price, "IRR", 49_900)]
    assert await disagreements(db) == expected


async def test_plans_and_currencies_without_a_rate(db: Database) -> None:
    await run(db, "update wallet.plan_prices set price = 999 where plan_id = (select id from wallet.plans where name = 'basic')")
    assert await disagreements(db) == [Disagreement("Basic", 999, "USD", 50_000, "IRR", 99_900)]
    await run(db, "update core.settings set value = '{\"USD\": 1}' where key = 'wallet.currency_rates'")
    assert {(item.product, item.fitting) for item in await disagreements(db)} >= {("50 tokens", None), ("Basic", None)}


async def test_currencies_with_other_decimals(db: Database) -> None:
    rates = '{"USD": 1, "OMR": 0.385, "JPY": 150, "IRR": 10000}'
    await run(db, f"update core.settings set value = '{rates}' where key = 'wallet.currency_rates'")
    await run(db, "insert into wallet.packs (name, title, asset, quantity, price, currency, position) values "
                  "('omr', 'S', 'token', 50, 1921, 'OMR', 9), ('jpy', 'S', 'token', 50, 7485, 'JPY', 9)")  # fmt: skip
    assert await disagreements(db) == [Disagreement("50 tokens", 499, "USD", 7_485, "JPY", 748)]


async def test_operators_see_disagreements_on_the_page_of_packs(site: Site, make: Make, db: Database) -> None:
    async with site.browser(await appoint(make, Role.ADMIN)) as browser:
        assert "by the stated rates" not in (await browser.get("/operator/packs")).text
        await run(db, "update wallet.packs set price = 500000 where name = 'tokens_50_irr'")
        page = (await browser.get("/operator/packs")).text
    assert "50 tokens: $4.99 and 500,000 IRR; by the stated rates the second would be 49,900 IRR." in page
