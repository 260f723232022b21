"""What the demo's operator finds: a page of theirs that was empty shows something, and a second run changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import StringIO
from typing import Any

import httpx2
import pytest
from rich.console import Console

from tests.accounts.auth_helpers import bearer, registered
from tests.factories import PASSWORD, Make
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.verification import actions as verification
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId, read_id
from vetrina.core.services import Services
from vetrina.demo import operations
from vetrina.demo.runner import DemoRun
from vetrina.demo.seed import Login
from vetrina.reports import actions as reports


async def _member(site: Site, email: str) -> tuple[AccountId, dict[str, str]]:
    """Register a confirmed account with the usual password; return its id and the headers of its calls."""
    body = await registered(site, email=email)
    account = read_id(body["account"]["id"])
    assert account is not None
    async with site.services.db.tx() as tx:
        await verification.confirm_identifier(tx, Identifier("email", email), kind="user", account=account)
    return AccountId(account), bearer(body)


async def test_operators_pages_are_full(
    site: Site, worker: Services, make: Make, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def doing(_settings: Any, work: Any) -> Any:
        """Run in the test's database: the command's would start one of its own."""
        db = Database(database, size=2, name="demo")
        await db.open()
        try:
            async with db.tx() as tx:
                return await work(tx)
        finally:
            await db.close()

    monkeypatch.setattr(operations, "doing", doing)
    monkeypatch.setattr(operations, "MEMBERS", 12)
    operator, operator_headers = await _member(site, "operator@example.com")
    _, owner_headers = await _member(site, "demo@example.com")
    async with site.services.db.tx() as tx:
        await roles.grant(tx, operator, Role.SUPERUSER)
    async with httpx2.AsyncClient(base_url=f"{site.url}/api/v1", headers=owner_headers, timeout=30) as api:
        generation = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        await ended(api, generation)
        await api.post(f"/generations/{generation}/sharing", json={"is_public": True})
    settings = replace(site.services.settings, sandbox=True)
    settings.data.mkdir(parents=True, exist_ok=True)
    people = Login("operator@example.com", PASSWORD), Login("demo@example.com", PASSWORD)
    for _ in range(2):
        demo = DemoRun(site.url, Console(file=StringIO()))
        await asyncio.to_thread(operations.seed, demo, settings, *people)
    await reports.refresh(site.services.db)
    async with httpx2.AsyncClient(base_url=site.url, headers=operator_headers, timeout=30) as api:
        expected = {
            "/members": "Member 1",
            "/reports": "Monthly recurring revenue",
            "/operator/payments": "$1.00 refunded",
            "/operator/webhooks": "customer.subscription",
            "/operator/public-pictures": "1 report",
            "/operator/audit": "An operator gave credits",
            "/operator/stripe": "Customers",
        }
        for path, text in expected.items():
            page = await api.get(path)
            assert page.status_code == 200 and text in page.text, path
        assert (await api.get("/operator/payments")).text.count("$1.00 refunded") == 1
        for name in operations.PAGES:
            assert (await api.get(f"/{name}")).status_code == 200, name
