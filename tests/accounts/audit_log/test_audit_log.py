"""The audit log and the settings as people see them: one's own history, the operator's pages and calls."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import Account, Make
from tests.server import Site
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core import audit
from vetrina.core.audit import Actor
from vetrina.core.rate_limits import Limits


@pytest.fixture
async def operator(make: Make) -> Account:
    """An admin."""
    account = await make.account(email="admin@example.com")
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, Role.ADMIN)
    return account


async def test_ones_own_history(site: Site, make: Make, operator: Account) -> None:
    account, other = await make.account(), await make.account()
    async with site.api(operator) as api:
        await api.post(f"/operator/accounts/{account.id}/disabling", json={"why": "a secret reason"})
        await api.post(f"/operator/accounts/{account.id}/enabling")
    session = await make.session(account, agent="curl/8.5", ip="192.0.2.77")
    back = Account(account.id, session.session_id, account.email, {}, {next(iter(account.cookies)): session.text()})
    async with site.browser(back) as browser:
        page = (await browser.get("/settings/audit")).text
        assert "The account was disabled" in page and "An operator" in page and "curl, a program" in page and "192.0.2.77" in page
        # Who the operator was, from where and in what words, is not told.
        assert "a secret reason" not in page and str(operator.id) not in page and "admin@example.com" not in page
        audit_logs = (await browser.get("/api/v1/audit-logs")).json()["items"]
        reported = {item["action"]: item for item in reversed(audit_logs)}
        assert reported["account_disabled"]["by"] == "operator" and reported["account_disabled"]["context"] is None
        assert reported["account_disabled"]["ip"] is None and str(operator.id) not in str(audit_logs)
        assert reported["signed_in"]["by"] == "you" and reported["signed_in"]["ip"] == "192.0.2.77"
        one = (await browser.get("/api/v1/audit-logs?limit=1")).json()
        two = (await browser.get(f"/api/v1/audit-logs?limit=1&cursor={one['next_cursor']}")).json()
        assert [one["items"][0], two["items"][0]] == audit_logs[:2]
        only = (await browser.get("/api/v1/audit-logs?action=account_enabled")).json()["items"]
        assert [item["action"] for item in only] == ["account_enabled"]
    async with site.api(other) as api:
        assert str(account.id) not in (await api.get("/audit-logs")).text


async def test_the_history_has_pages(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.services.db.tx() as tx:
        for n in range(50):
            await audit.record(tx, "thing_done", account.id, resource=("thing", n))
    async with site.browser(account) as browser:
        first = (await browser.get("/settings/audit")).text
        older = re.search(r'href="(/settings/audit\?cursor=[^"]+)"', first)
        assert older and first.count("Thing done") == 40
        assert (await browser.get(older[1])).text.count("Thing done") == 10


async def test_the_operators_log_is_filtered_and_exported(site: Site, make: Make, operator: Account) -> None:
    one = await make.account(email="one@example.com")
    async with site.services.db.tx() as tx:
        details = {"why": "=1+1"}
        await audit.record(tx, "thing_done", one.id, said=details, actor=Actor("admin", operator.id, "192.0.2.1"))
    async with site.browser(operator) as browser, site.api(operator) as api:
        page = (await browser.get("/operator/audit")).text
        assert "Thing done" in page and "A role was given" in page and "one@example.com" in page and "192.0.2.1" in page
        for query, there, gone in (
            ("account=one@example.com", "Thing done", "A role was given"),
            (f"account={one.id}", "Thing done", "A role was given"),
            ("action=thing_done", "Thing done", "Signed up<"),
            ("actor=admin", "Thing done", "Signed up<"),
            ("account=nobody@example.com", "Nothing fits", "one@example.com<"),
        ):
            rows = (await browser.get(f"/operator/audit?{query}")).text
            table = rows[rows.index("</form>", rows.index('action="/operator/audit"')) :]
            assert there in table and gone not in table, query
        today, tomorrow = (f"{datetime.now(UTC) + timedelta(days=n):%Y-%m-%d}" for n in (0, 1))
        assert "Thing done" in (await browser.get(f"/operator/audit?since={today}&until={today}&action=thing_done")).text
        assert "Nothing fits" in (await browser.get(f"/operator/audit?since={tomorrow}")).text
        assert (await browser.get("/operator/audit?since=x&until=9999-99-99&cursor=")).status_code == 200
        answer = await browser.get("/operator/audit.csv?account=one@example.com")
        lines = list(csv.reader(io.StringIO(answer.text)))
        assert lines[0][:3] == ["time", "action", "account"] and answer.headers["content-type"].startswith("text/csv")
        row = next(line for line in lines if line[1] == "thing_done")
        assert row[2] == str(one.id) and row[7] == "192.0.2.1" and row[9] == '{"why":"=1+1"}'
        assert {line[2] for line in lines[1:]} == {str(one.id)}
        calls = (await api.get("/operator/audit-logs", params={"account": str(one.id), "action": "thing_done"})).json()["items"]
        assert [(call["actor_id"], call["ip"]) for call in calls] == [(str(operator.id), "192.0.2.1")]
        soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        assert (await api.get("/operator/audit-logs", params={"since": soon})).json()["items"] == []


async def test_settings_are_changed_on_the_page_and_by_a_call(site: Site, make: Make, operator: Account) -> None:
    async with site.browser(operator) as browser, site.api(operator) as api:
        page = (await browser.get("/operator/settings")).text
        assert "limits.api" in page and 'value="12000/60"' in page and "wallet.welcome_tokens" in page
        assert (await browser.post("/operator/settings/limits.api", data={"value": "7/30"})).status_code == 303
        assert "limits.api is 7/30 now." in (await browser.get("/operator/settings")).text
        for key, value in (
            ("limits.api", "many"), ("limits.api", "5/0"), ("limits.api", "-1/60"), ("limits.api", "5"),
            ("limits.api", '{"count": 5}'),
            ("wallet.welcome_tokens", "-1"), ("wallet.welcome_tokens", "1.5"), ("wallet.welcome_tokens", "true"),
            ("wallet.welcome_tokens", "many"), ("wallet.welcome_tokens", "99999999999"),
        ):  # fmt: skip
            refused = await browser.post(f"/operator/settings/{key}", data={"value": value})
            assert refused.status_code == 422 and f'value="{value.replace(chr(34), "&#34;")}"' in refused.text, (key, value)
        assert (await browser.post("/operator/settings/no.such", data={"value": "1"})).status_code == 404
        response = await api.put("/operator/settings/wallet.welcome_tokens", json={"value": 3})
        assert response.status_code == 200 and response.json()["value"] == 3
        assert (await api.put("/operator/settings/wallet.welcome_tokens", json={"value": "3"})).status_code == 422
        rows = {item["key"]: item["value"] for item in (await api.get("/operator/settings")).json()["items"]}
        assert rows["limits.api"] == {"count": 7, "seconds": 30} and rows["wallet.welcome_tokens"] == 3
    async with site.api(await make.account()) as api:
        balances = (await api.get("/wallet")).json()["balances"]
    assert {balance["asset"]: balance["balance"] for balance in balances}["token"] == 3
    assert site.services.get(Limits) is not None


async def test_accounts_are_searched_by_prefix(site: Site, make: Make, operator: Account) -> None:
    ada = await make.account(email="ada_l@example.com")
    await make.account(email="adabl@example.com", kind="vendor")
    async with site.services.db.tx() as tx:
        await roles.grant(tx, ada.id, Role.MEMBER)
    async with site.api(operator) as api, site.browser(operator) as browser:

        async def found(**query: str) -> set[str]:
            items = (await api.get("/operator/accounts", params=query)).json()["items"]
            return {item["email"] for item in items}

        both = {"ada_l@example.com", "adabl@example.com"}
        assert await found(q="ADA") == both and await found(q="ada_") == {"ada_l@example.com"}
        assert await found(q="%") == set() and await found(q="test") == both | {"admin@example.com"}  # their names
        assert await found(q=str(ada.id)) == {"ada_l@example.com"} and await found(q=str(operator.session_id)) == set()
        assert await found(role="member") == {"ada_l@example.com"} and await found(kind="vendor") == {"adabl@example.com"}
        assert await found(state="disabled") == set() and await found(state="active", q="ada") == both
        assert (await api.get("/operator/accounts?role=emperor")).status_code == 422
        page = (await browser.get("/operator/accounts?q=ada_")).text
        assert "ada_l@example.com" in page and "adabl" not in page and f"/operator/accounts/{ada.id}" in page
        assert "No accounts match" in (await browser.get("/operator/accounts?q=zzz")).text
        one = (await browser.get(f"/operator/accounts/{ada.id}")).text
        assert "ada_l@example.com" in one and "test, a program" in one and "member" in one
        assert (await browser.get(f"/operator/accounts/{ada.session_id}")).status_code == 404
        refused = await browser.post(f"/operator/accounts/{ada.id}/disabling", data={"why": " "})
        assert refused.status_code == 422 and "Give a reason" in refused.text
        assert (await browser.post(f"/operator/accounts/{ada.id}/disabling", data={"why": "spam"})).status_code == 303
        assert "/enabling" in (await browser.get(f"/operator/accounts/{ada.id}")).text
        assert await found(state="disabled") == {"ada_l@example.com"}
        assert (await browser.post(f"/operator/accounts/{ada.id}/enabling")).status_code == 303
        await browser.post(f"/operator/accounts/{ada.id}/sessions/revocation")
    async with site.browser(ada) as browser:
        assert (await browser.get("/wallet")).status_code == 303
