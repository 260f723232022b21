"""The badge that operators give to a business, and what the audit log keeps of faces, domains and identities."""

from __future__ import annotations

import pytest_asyncio

from tests.factories import Account, Make
from tests.server import Site
from vetrina.accounts import labels
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role


@pytest_asyncio.fixture
async def operator(make: Make) -> Account:
    """An admin."""
    account = await make.account()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, Role.ADMIN)
    return account


async def test_an_operator_gives_and_takes_the_badge(site: Site, make: Make, operator: Account) -> None:
    vendor, user = await make.account(kind="vendor"), await make.account()
    async with site.api(operator) as api, site.api(vendor) as own_api:
        path = f"/operator/accounts/{vendor.id}/verification"
        assert (await api.get(path)).json() == {"business_name": "Test", "is_verified": False, "verified_at": None}
        given = (await api.put(path)).json()
        assert given["is_verified"] and given["verified_at"]
        assert (await api.put(path)).json() == given  # since the first time
        assert (await own_api.get("/me/profile")).json()["business"]["is_verified"]
        await own_api.patch("/me/profile", json={"name": "Another"})
        assert (await api.get(path)).json() == {"business_name": "Another", "is_verified": False, "verified_at": None}
        await api.put(path)
        assert (await api.delete(path)).status_code == 204
        missing = await api.put(f"/operator/accounts/{user.id}/verification")
        assert missing.json()["type"] == "urn:vetrina:business-profile-missing"
        lines = (await own_api.get("/audit-logs")).json()["items"]
    actions = sorted(line["action"] for line in lines if line["resource"] == "vendor")
    assert actions == ["business_renamed", *["vendor_unverified"] * 2, *["vendor_verified"] * 2]


async def test_operator_page_shows_the_verification(site: Site, make: Make, operator: Account) -> None:
    vendor = await make.account(kind="vendor")
    page = f"/operator/accounts/{vendor.id}"
    async with site.browser(operator) as browser:
        assert "Verify the business" in (await browser.get(page)).text
        assert (await browser.post(f"{page}/verification", data={"verified": "1"})).status_code == 303
        text = (await browser.get(page)).text
        assert "The business is verified." in text and "Remove the verification" in text
        await browser.post(f"{page}/verification", data={"verified": "0"})
        assert "The business is no longer verified." in (await browser.get(page)).text
        assert "Verify the business" not in (await browser.get(f"/operator/accounts/{operator.id}")).text
    async with site.browser(vendor) as browser:
        assert (await browser.post(f"{page}/verification", data={"verified": "1"})).status_code == 403


async def test_changes_of_domains_and_identities_are_audited(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.api(account) as api:
        domain = (await api.post("/domains", json={"domain": "shop.example"})).json()
        await api.delete(f"/domains/{domain['id']}")
    async with site.services.db.tx() as tx:
        for n in range(2):
            await tx.connection.execute(
                """insert into accounts.identities (issuer, subject, account_id, id, provider)
                   values ('https://id.example', %s, %s, core.new_id(), 'cognito')""",
                [f"someone {n}", account.id],
            )
        await tx.connection.execute("delete from accounts.identities where subject = 'someone 0'")
    async with site.browser(account) as browser:
        page = (await browser.get("/settings/audit")).text
    for action in ("domain_added", "domain_removed", "identity_linked", "identity_unlinked"):
        assert labels.AUDIT[action] in page, action
    assert "shop.example" in page and "someone 0" in page
