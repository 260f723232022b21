"""The operators' page of an account: what it links to, notes, and the search that finds it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts.roles.test_roles import appoint
from tests.factories import Make
from tests.payments.helpers import press, start
from tests.server import Site
from tests.wallet.helpers import rows
from vetrina.accounts.operator import queries as accounts
from vetrina.accounts.privacy import erasures
from vetrina.accounts.roles.actions import Role
from vetrina.core import audit
from vetrina.core.audit import SYSTEM
from vetrina.core.database.connection import Database, Statement
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.media.operator import queries as media
from vetrina.payments.operator import queries as payments
from vetrina.payments.operator.lookup import GATEWAYS
from vetrina.studio.operator import queries as studio


async def test_the_page_shows_money_credits_and_links(site: Site, make: Make) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account(tokens=3)
    async with site.api(account) as api:
        payment = await start(api)
        await press(site.client, payment, "paid")
    path = f"/operator/accounts/{account.id}"
    async with site.browser(operator) as browser:
        page = (await browser.get(path)).text
        for href in (f"/operator/payments/{account.id}/{payment['id']}", f"/operator/payments?q={account.id}",
                     f"/operator/audit?account={account.id}", f"{path}/ledger"):  # fmt: skip
            assert f'href="{href}"' in page, href
            assert (await browser.get(href)).status_code == 200, href
        assert "53 tokens" in page and "Free" in page
        assert "Bought 50 tokens" in (await browser.get(f"{path}/ledger")).text
    async with site.browser(account) as browser:
        assert (await browser.get(f"{path}/ledger")).status_code in {403, 404}


async def test_notes_are_appended_with_author_and_erased_with_the_account(
    site: Site, services: Services, make: Make, db: Database
) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account()
    path = f"/operator/accounts/{account.id}"
    async with site.browser(operator) as browser, site.api(operator) as api:
        assert (await browser.post(f"{path}/notes", data={"text": " <b>Called</b> about an invoice "})).status_code == 303
        page = (await browser.get(path)).text
        assert "&lt;b&gt;Called&lt;/b&gt; about an invoice" in page and operator.email in page
        for text in ("  ", "x" * 2001):
            refused = await browser.post(f"{path}/notes", data={"text": text})
            assert refused.status_code == 422 and "up to 2,000 characters" in refused.text
        answer = await api.post(f"{path}/notes", json={"text": "Second"})
        assert [item["text"] for item in answer.json()["items"]] == ["Second", "<b>Called</b> about an invoice"]
        assert (await api.post(f"/operator/accounts/{new_id()}/notes", json={"text": "x"})).status_code == 404
    async with db.read() as tx:
        log = await tx.fetch_all(audit.LIST, account=account.id, action="note_added", before=None, limit=5)
    assert [(row.actor_id, row.said) for row in log] == [(operator.id, {})] * 2
    async with site.api(account) as api:
        assert "invoice" not in (await api.get("/me")).text and "invoice" not in (await api.get("/audit-logs")).text
    async with db.tx() as tx:
        await erasures.begin(tx, account.id, SYSTEM)
    await erasures.erase(services, account.id)
    assert await rows(db, "select text from accounts.notes") == []


async def test_search_returns_exact_hits_first(site: Site, make: Make, db: Database) -> None:
    operator = await appoint(make, Role.ADMIN)
    ada, adam = await make.account(email="ada@example.com"), await make.account(email="ada@example.community")
    async with site.api(ada) as api:
        payment = await start(api)
        await press(site.client, payment, "paid")
    async with db.tx() as tx:  # the sandbox writes no receipts
        await tx.connection.execute("update payments.payments set receipt_number = 123 where account_id = %s", (ada.id,))
    ((reference, receipt, ref),) = await rows(
        db,
        """select p.reference, 'R-' || to_char(p.paid_at, 'YYYY') || '-' || lpad(p.receipt_number::text, 6, '0'), r.ref
             from payments.payments p join payments.gateway_refs r on r.account_id = p.account_id and r.payment_id = p.id""",
    )
    async with site.api(operator) as api:

        async def hrefs(text: str) -> list[tuple[str, list[str]]]:
            items = (await api.get("/operator/search", params={"q": text})).json()["items"]
            return [(group["name"], [hit["href"] for hit in group["hits"]]) for group in items]

        pages = [f"/operator/accounts/{account.id}" for account in (ada, adam)]
        assert await hrefs("ada@example.com") == [("accounts", pages)]
        assert await hrefs(str(adam.id)) == [("accounts", pages[1:])]
        one = [("payments", [f"/operator/payments/{ada.id}/{payment['id']}"])]
        for text in (payment["id"], receipt, receipt.lower(), ref, *([reference] if reference else [])):
            assert await hrefs(text) == one, text
        for text in ("", "  ", "nothing like it", "%", "_", "evt_1", "R-2026-999999"):
            assert await hrefs(text) == [], text
    async with site.browser(operator) as browser:
        page = (await browser.get("/operator/search", params={"q": "<b>ada"})).text
        assert "No results" in page and "<b>ada" not in page
        page = (await browser.get("/operator/search", params={"q": "ada@"})).text
        assert page.index("ada@example.com") > 0 and "data-search" in page
    async with site.api(ada) as api:
        assert (await api.get("/operator/search?q=ada")).status_code == 404


LOOKUPS: list[tuple[Statement[Any], dict[str, Any]]] = [
    (payments.BY_REFERENCE, {"id": new_id(), "text": "x", "receipt": 7, "gateways": GATEWAYS}),
    (payments.EVENT, {"text": "evt_1"}),
    (payments.OF_ACCOUNT, {"account": new_id(), "limit": 8}),
    (media.BY_ID, {"id": new_id()}),
    (studio.BY_ID, {"id": new_id()}),
    (accounts.NOTES, {"account": new_id(), "before": new_id(), "limit": 5}),
]


@pytest.mark.parametrize(("statement", "arguments"), LOOKUPS, ids=range(len(LOOKUPS)))
async def test_lookups_use_indexes(db: Database, statement: Statement[Any], arguments: dict[str, Any]) -> None:
    """With sequential scans priced out, a remaining one means that no index fits."""
    async with db.tx() as tx:
        await tx.connection.execute("set local enable_seqscan = off")
        lines = await (await tx.connection.execute(f"explain {statement.sql}".encode(), arguments)).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert "Seq Scan on" not in plan.replace("Seq Scan on styles", ""), plan
