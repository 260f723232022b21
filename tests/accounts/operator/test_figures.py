"""Figures on the operators' front page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.accounts.roles.test_roles import appoint
from tests.factories import Make
from tests.payments.helpers import press, start
from tests.server import Site
from vetrina.accounts.operator import figures
from vetrina.accounts.roles.actions import Role
from vetrina.core.database.connection import Database

NOW = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)
"""A Tuesday; the month before has 28 days."""


def test_periods_are_compared_with_the_same_part_of_the_one_before() -> None:
    hour = timedelta(hours=1)
    hours = {
        datetime(2026, 3, 31, 10, tzinfo=UTC): 1,
        datetime(2026, 3, 30, 10, tzinfo=UTC): 20,
        datetime(2026, 3, 30, 11, tzinfo=UTC): 300,
        datetime(2026, 3, 24, 10, tzinfo=UTC): 4000,
        datetime(2026, 3, 24, 11, tzinfo=UTC): 50000,
        datetime(2026, 2, 28, 23, tzinfo=UTC): 600000,
        datetime(2026, 2, 1, tzinfo=UTC) - hour: 7000000,
    }
    assert figures.compare(hours, NOW) == {
        "today": (1, 20), "week": (321, 4000), "month": (54321, 600000),
    }  # fmt: skip
    daily = figures.days(hours, NOW)
    assert len(daily) == 30 and daily[-1] == (datetime(2026, 3, 31, tzinfo=UTC), 1) and daily[-2][1] == 320


async def test_figures_count_what_happened(site: Site, make: Make, db: Database) -> None:
    operator, account = await appoint(make, Role.ADMIN, tokens=0), await make.account(tokens=7)
    async with site.api(account) as api:
        await press(site.client, await start(api), "paid")
    async with db.tx() as tx:
        await tx.connection.execute(
            "update accounts.accounts set created_at = now() - interval '1 day' where id = %s", (account.id,)
        )
    now = figures.utc_now()
    async with db.read() as tx:
        loaded = {figure.name: figure for figure in await figures.load(tx, site.services.modules, now)}
    assert figures.compare(loaded["sign_ups"].hours, now)["today"] == (1, 1)
    assert sum(loaded["tokens_sold"].hours.values()) == 50
    paid = loaded["paid_sandbox_USD"]
    assert (sum(paid.hours.values()), paid.unit) == (499, "USD")
    assert loaded["tokens_owed"].now == 57
    async with site.browser(operator) as browser:
        page = (await browser.get("/operator")).text
    assert "$4.99" in page and "Tokens owed" in page and "Payments by the time the money came in" in page
    assert "chart-plot" in page and "The same in figures" in page
