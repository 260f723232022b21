"""Plans edited by their operator: by the API, on the pages and by command; months that run or are paid stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.accounts.roles.test_roles import appoint
from tests.factories import Make
from tests.payments.helpers import press
from tests.payments.plans.test_story import ids, order
from tests.server import Site
from tests.wallet.packs.test_packs import command_on
from tests.wallet.plan_helpers import member, quota
from vetrina.accounts.roles.actions import Role
from vetrina.cli import main
from vetrina.core import audit
from vetrina.core.database.connection import Database
from vetrina.wallet.plans import queries as plan_queries

NEW: dict[str, Any] = {
    "name": "team", "kind": "user", "display_name": "Team", "prices": {"USD": 1500, "IRR": 900_000}, "description": "For teams",
    "monthly_conversions_limit": 400, "monthly_tokens": 20, "features": ["Priority", "Support"], "storage_mb": 9000,
}  # fmt: skip


async def test_the_operator_edits_plans_by_api(site: Site, make: Make) -> None:
    operator = await appoint(make, Role.ADMIN)
    async with site.api(operator) as api:
        added = await api.post("/operator/plans", json=NEW)
        assert added.status_code == 201
        assert {key: added.json()[key] for key in [*NEW, "is_active", "members"]} == {**NEW, "is_active": True, "members": 0}
        assert (await api.post("/operator/plans", json=NEW)).json()["type"] == "urn:vetrina:plan-name-taken"
        wrong = {"prices": {}, "name": "A b", "display_name": "", "kind": "cat", "monthly_tokens": -1, "features": [""]}
        for field, value in wrong.items():
            assert (await api.post("/operator/plans", json={**NEW, "name": "other", field: value})).status_code == 422, field
        for prices in ({"IRT": 5}, {"XYZ": 5}, {"USD": 0}, {"usd": 5}):
            answer = await api.patch("/operator/plans/team", json={"prices": prices})
            assert answer.status_code == 422, prices
        # The base currency goes, another stays and a new one comes.
        changed = await api.patch("/operator/plans/team", json={"prices": {"EUR": 1400, "IRR": 950_000}, "storage_mb": 0})
        assert changed.json()["prices"] == {"EUR": 1400, "IRR": 950_000} and changed.json()["storage_mb"] is None
        assert changed.json()["description"] == "For teams", "what was not given stays"
        public = next(item for item in (await api.get("/plans")).json()["items"] if item["name"] == "team")
        assert public["prices"] == {"EUR": 1400, "IRR": 950_000}
        assert (await api.patch("/operator/plans/nothing", json={"monthly_tokens": 1})).status_code == 404
        assert (await api.patch("/operator/plans/team", json={})).status_code == 422
        for change in ({"is_active": False}, {"prices": {"USD": 5}}):
            refused = await api.patch("/operator/plans/free", json=change)
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:vetrina:default-plan")
        assert (await api.delete("/operator/plans/vendor_free")).json()["type"] == "urn:vetrina:default-plan"
        assert (await api.delete("/operator/plans/team")).status_code == 204
        assert "team" not in {item["name"] for item in (await api.get("/operator/plans")).json()["items"]}


async def test_changes_of_plans_are_audited_with_their_author(site: Site, make: Make, db: Database) -> None:
    operator = await appoint(make, Role.ADMIN)
    async with site.api(operator) as api:
        await api.post("/operator/plans", json=NEW)
        await api.patch("/operator/plans/team", json={"prices": {"USD": 1600, "IRR": 900_000}})
        await api.patch("/operator/plans/team", json={"prices": {"USD": 1600, "IRR": 900_000}})  # nothing changes: no row
        await api.patch("/operator/plans/team", json={"prices": {"USD": 1600}})
        await api.delete("/operator/plans/team")
    async with db.read() as tx:
        rows = await tx.fetch_all(audit.LIST, account=audit.SITE_CHAIN, action=None, before=None, limit=20)
    actions = [row.action for row in reversed(rows) if row.actor_id == operator.id]
    assert actions == ["plan_added", "plan_price_added", "plan_changed", "plan_price_removed", "plan_removed"]
    changed = next(row for row in rows if row.action == "plan_changed")
    assert changed.metadata == {"name": "team", "changed": {"price_per_month": {"from": 1500, "to": 1600}}}


async def test_a_paid_month_keeps_its_limits_and_the_next_one_costs_the_new_price(site: Site, make: Make, db: Database) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account()
    async with site.api(account) as api, site.api(operator) as operators:
        await press(site.client, await order(api, "basic"), "paid")
        before, month = await quota(db, account), await member(db, account)
        change = {"prices": {"IRR": 70_000}, "monthly_conversions_limit": 1}
        assert (await operators.patch("/operator/plans/basic", json=change)).status_code == 200
        assert await quota(db, account) == before and await member(db, account) == month
        assert (await order(api, "basic"))["amount"] == 70_000


async def test_a_plan_with_members_is_closed_and_not_deleted(site: Site, make: Make, db: Database) -> None:
    operator, account, other = await appoint(make, Role.ADMIN), await make.account(), await make.account()
    async with site.api(account) as api, site.api(operator) as operators, site.api(other) as outside:
        await press(site.client, await order(api, "basic"), "paid")
        basic = (await ids(api))["basic"]
        refused = await operators.delete("/operator/plans/basic")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:vetrina:plan-in-use")
        assert (await operators.patch("/operator/plans/basic", json={"is_active": False})).json()["members"] == 1
        assert "basic" not in await ids(outside)
        denied = await outside.post("/payments", json={"plan_id": basic, "gateway": "sandbox"})
        assert denied.json()["type"] == "urn:vetrina:unknown-plan"
        async with db.read() as tx:
            names = {row.name for row in await tx.fetch_all(plan_queries.PLANS_FOR, account=account.id)}
            others = {row.name for row in await tx.fetch_all(plan_queries.PLANS_FOR, account=other.id)}
        assert "basic" in names and "basic" not in others
        again = await api.post("/payments", json={"plan_id": basic, "gateway": "sandbox"})
        assert again.status_code == 201, again.text
        members = (await operators.get("/operator/plans/basic/members")).json()["items"]
        assert [item["id"] for item in members] == [str(account.id)]


async def test_the_operators_pages(site: Site, make: Make) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account()
    form = {
        "name": "team", "kind": "user", "display_name": "Team", "description": "", "monthly_tokens": "20", "storage_mb": "",
        "monthly_conversions_limit": "", "monthly_images_limit": "3", "features": "Priority\n\nSupport", "currency": "USD",
        "amount": "15",
    }  # fmt: skip
    async with site.browser(account) as browser:
        assert (await browser.get("/operator/plans")).status_code == 403
        assert (await browser.post("/operator/plans", data=form)).status_code == 403
    async with site.browser(operator) as browser:
        for field, value, message in (
            ("amount", "much", "Write a sum such as"),
            ("currency", "IRT", "Rials are IRR"),
            ("name", "basic", "already"),
            ("monthly_tokens", "-1", "0 or more"),
            ("amount", "", "at least one currency"),
        ):
            wrong = await browser.post("/operator/plans", data={**form, field: value})
            assert wrong.status_code in {409, 422} and message in wrong.text and "Priority" in wrong.text, field
        added = await browser.post("/operator/plans", data=form)
        assert added.status_code == 303 and added.headers["location"] == "/operator/plans/team"
        page = (await browser.get("/operator/plans/team")).text
        assert "Team is open now." in page and 'value="15.00"' in page and "Priority\nSupport" in page and "No members" in page
        changes = {**form, "display_name": "Crew", "price-USD": "", "currency": "EUR", "amount": "12.50"}
        assert (await browser.post("/operator/plans/team", data=changes)).status_code == 303
        page = (await browser.get("/operator/plans")).text
        assert "Crew" in page and "€12.50" in page and "$15.00" not in page
        await browser.post("/operator/plans/team", data={"is_active": "false"})
        assert "Closed to new members" in (await browser.get("/operator/plans/team")).text
        assert (await browser.post("/operator/plans/team/deletion")).headers["location"] == "/operator/plans"
        assert (await browser.get("/operator/plans/team")).status_code == 404
        listed = (await browser.get("/operator/plans/free")).text
        assert f"/operator/accounts/{account.id}" in listed and "Delete plan" not in listed
        assert (await browser.post("/operator/plans/free", data={**form, "amount": ""})).status_code == 303


def test_the_commands(owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command_on(owner, tmp_path, monkeypatch)
    assert main(["plans", "add", "team", "--title", "Team", "--price", "USD 15", "--price", "IRR 900,000", "--tokens", "20"]) == 0
    assert capsys.readouterr().out == "team is open now: Team, 900,000 IRR / $15.00.\n"
    assert main(["plans", "change", "team", "--price", "USD 16", "--no-open"]) == 0
    assert capsys.readouterr().out == "team: Team, $16.00, closed to new members.\n"
    assert main(["plans", "list"]) == 0
    assert "team" in capsys.readouterr().out
    assert main(["plans", "delete", "team"]) == 0
    assert main(["plans", "delete", "team"]) != 0
