"""A purchase as a person without scripts makes it."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest

from tests.factories import Make
from tests.payments.helpers import overdue, pack, scalar
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.module import Module, Modules
from vetrina.payments import jobs
from vetrina.wallet.model import Asset


async def choose(browser: httpx2.AsyncClient, name: str = "tokens_50", **fields: Any) -> httpx2.Response:
    """Send the form of the shop."""
    items = (await browser.get("/api/v1/packs")).json()["items"]
    chosen = next(item["id"] for item in items if item["name"] == name)
    return await browser.post("/wallet/buy", data={"pack_id": chosen, "gateway": "sandbox", "next": "", **fields})


async def test_tokens_are_bought_with_forms_alone(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.browser(account) as browser:
        shop = await browser.get("/wallet/buy?needed=60&next=/studio%3Fstyle%3Doil")
        assert shop.status_code == 200
        for message in ("$4.99", "$14.99", "$59.99", "You need 60 more tokens", "best price", "Test checkout"):
            assert message in shop.text, message
        chosen = re.search(r'name="pack_id" value="([^"]+)" checked', shop.text)
        next_one = re.search(r'name="next" value="([^"]*)"', shop.text)
        assert chosen and next_one and next_one[1] == "/studio?style=oil"
        items = (await browser.get("/api/v1/packs")).json()["items"]
        assert next(item["quantity"] for item in items if item["id"] == chosen[1]) == 200, "the first that is enough"

        sent = await browser.post("/wallet/buy", data={"pack_id": chosen[1], "gateway": "sandbox", "next": next_one[1]})
        assert sent.status_code == 303
        checkout = sent.headers["location"]
        assert checkout.startswith(f"{site.url}/payments/sandbox/")
        page = await browser.get(checkout)
        assert "no money moves" in page.text and "$14.99" in page.text and "200 tokens" in page.text

        listed = await browser.get("/payments")
        assert "200 tokens" in listed.text and "Waiting" in listed.text
        paid = await browser.post(checkout, data={"outcome": "paid"})
        place = paid.headers["location"]
        done = await browser.get(place)
        assert "Payment received" in done.text and "200 tokens were added to your wallet" in done.text and "TEST-" in done.text
        assert 'href="/studio?style=oil"' in done.text and "Continue" in done.text
        assert 'aria-label="200 tokens, to the wallet"' in done.text
        assert "Paid" in (await browser.get("/payments")).text
    assert await make.balance(account) == (200, 0)
    await make.books()


async def test_waiting_page_refreshes_itself(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.browser(account) as browser:
        checkout = (await choose(browser)).headers["location"]
        payment = await scalar(db, "select id::text from payments.payments")
        page = await browser.get(f"/payments/{payment}")
        assert "Waiting for the payment" in page.text and f'data-payment-events="/payments/{payment}/events"' in page.text
        assert '<noscript><meta http-equiv="refresh"' in page.text and f'href="{checkout}"' in page.text
        assert "longer than usual" not in page.text
        async with db.tx() as tx:
            await tx.connection.execute("update payments.payments set created_at = now() - interval '2 minutes'")
        assert "longer than usual" in (await browser.get(f"/payments/{payment}")).text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("declined", "The payment was declined"), ("cancelled", "Checkout cancelled"), ("", "Checkout expired")],
)
async def test_unpaid_payment_page_offers_a_retry(site: Site, make: Make, db: Database, outcome: str, said: str) -> None:
    account = await make.account(tokens=0)
    async with site.browser(account) as browser:
        checkout = (await choose(browser, next="/studio?style=oil")).headers["location"]
        if outcome:
            place = (await browser.post(checkout, data={"outcome": outcome})).headers["location"]
        else:
            await overdue(db)
            await jobs.expire_due(site.services)
            place = f"/payments/{await scalar(db, 'select id::text from payments.payments')}"
        page = await browser.get(place)
        charged = "Nothing was charged" if outcome == "declined" else "You were not charged"
        assert said in page.text and charged in page.text
        assert 'href="/wallet/buy?next=/studio%3Fstyle%3Doil"' in page.text, "the way back is kept over another try"
        assert 'http-equiv="refresh"' not in page.text and "hx-get" not in page.text
        ended = await browser.get(checkout)
        assert "already ended" in ended.text and f'href="{place}"' in ended.text


async def test_abandoned_checkout_can_be_resumed(site: Site, make: Make, db: Database) -> None:
    account, other = await make.account(tokens=0), await make.account(tokens=0)
    async with site.browser(account) as browser, site.browser(other) as another:
        first = (await choose(browser)).headers["location"]
        assert (await choose(browser)).headers["location"] == first
        assert (await choose(browser, "tokens_200")).headers["location"] != first
        assert (await choose(browser, next="/account")).headers["location"] != first
        assert (await choose(another)).headers["location"] != first
        async with db.tx() as tx:
            await tx.connection.execute("update wallet.packs set price = 599 where name = 'tokens_50'")
        dearer = (await choose(browser)).headers["location"]
        assert dearer != first and "$5.99" in (await browser.get(dearer)).text
        await browser.post(dearer, data={"outcome": "cancelled"})
        assert (await choose(browser)).headers["location"] != dearer


@pytest.mark.parametrize(
    "next", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", "javascript:alert(1)", "/x" * 600, "/a\0b"]
)
async def test_return_address_is_local(site: Site, make: Make, db: Database, next: str) -> None:
    account = await make.account(tokens=0)
    async with site.browser(account) as browser:
        checkout = (await choose(browser, next=next)).headers["location"]
        place = (await browser.post(checkout, data={"outcome": "paid"})).headers["location"]
        done = await browser.get(place)
        assert "Go on" not in done.text and "elsewhere" not in done.text
        assert await scalar(db, "select return_url from payments.payments") is None
        shop = await browser.get("/wallet/buy", params={"next": next})
        assert shop.status_code == 200 and "elsewhere" not in shop.text.split("</header>")[1].split("</main>")[0]


async def test_errors_appear_beside_their_fields(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.browser(account) as browser:
        for fields, message in (
            ({"pack_id": ""}, "Choose how much"),
            ({"pack_id": "\0"}, "Choose how much"),
            ({"pack_id": str(new_id())}, "not for sale"),
            ({"gateway": "cheque"}, "not offered"),
            ({"gateway": "\0"}, "not offered"),
        ):
            page = await choose(browser, **fields, next="/account")
            assert page.status_code == 422 and message in page.text and 'value="/account"' in page.text, fields
        for query in ("needed=-1", "needed=many"):
            assert (await browser.get(f"/wallet/buy?{query}")).status_code == 422
        for content in (b"", b"\xff=\xff"):
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            assert (await browser.post("/wallet/buy", content=content, headers=kind)).status_code == 422
    assert await scalar(db, "select count(*)::int from payments.payments") == 0


async def test_other_accounts_and_visitors_are_refused(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=0), await make.account(tokens=0)
    async with site.browser(account) as browser, site.browser(stranger) as other:
        checkout = (await choose(browser)).headers["location"]
        place = (await browser.post(checkout, data={"outcome": "paid"})).headers["location"]
        assert (await other.get(place)).status_code == 404
        assert place not in (await other.get("/payments")).text and "No payments yet" in (await other.get("/payments")).text
    for path in ("/wallet/buy", "/payments", place):
        away = await site.client.get(path)
        assert away.status_code == 303 and away.headers["location"].startswith("/sign-in?next="), path
    pack_id = (await pack(httpx2.AsyncClient(base_url=site.url + "/api/v1")))["id"]
    assert (await site.client.post("/wallet/buy", data={"pack_id": pack_id, "gateway": "sandbox"})).status_code == 303
    assert len((await site.client.get("/api/v1/packs")).json()["items"]) == 6


async def test_the_history_has_pages(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.browser(account) as browser:
        await choose(browser)
        async with db.tx() as tx:
            await tx.connection.execute("""
                insert into payments.payments (account_id, id, kind, status, gateway, asset, quantity, amount, currency,
                                               description, expires_at)
                select account_id, core.new_id(), kind, 'expired', gateway, asset, n, amount, currency, description, expires_at
                  from payments.payments, generate_series(1, 59) n""")
        first = await browser.get("/payments")
        older = re.search(r'href="(/payments\?cursor=[^"]+)"', first.text)
        assert older and len(re.findall(r'<a href="/payments/[0-9a-f-]{36}"', first.text)) == 50
        rest = await browser.get(older[1])
        assert len(re.findall(r'<a href="/payments/[0-9a-f-]{36}"', rest.text)) == 10 and "Older payments" not in rest.text
        assert (await browser.get("/payments?cursor=nonsense")).status_code == 422


async def test_every_kind_has_its_counter(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    contacts = Module("contacts", spends=("contact", "posting"))
    modules = site.services.modules
    site.services.modules = Modules(modules.installed, (*modules.loaded, contacts))
    async with site.browser(account) as browser:
        assert (await browser.get("/buy?what=contact")).headers["location"] == "/wallet/buy?what=contact"
        for what, message, other in (
            ("contact", ("Buy contacts", "$14.99", "Address book"), "Sketchbook"),
            ("posting", ("Buy postings", "$5.00"), "Address book"),
            ("nonsense", ("Buy tokens", "Sketchbook"), "Address book"),
        ):
            page = (await browser.get(f"/wallet/buy?what={what}&next=/library")).text
            assert all(text in page for text in message) and other not in page, what
            assert "/wallet/buy?what=contact&amp;next=%2Flibrary" in page and 'href="/plan"' in page
        rials = (await browser.get("/wallet/buy?what=contact&currency=IRR")).text
        assert "150,000 IRR" in rials and "$14.99" not in rials
        checkout = (await choose(browser, "contacts_10")).headers["location"]
        place = (await browser.post(checkout, data={"outcome": "paid"})).headers["location"]
        assert "10 contacts were added to your wallet." in (await browser.get(place)).text
        checkout = (await choose(browser, "posting_1")).headers["location"]
        place = (await browser.post(checkout, data={"outcome": "paid"})).headers["location"]
        assert "1 posting was added to your wallet." in (await browser.get(place)).text
    assert await make.balance(account, Asset.CONTACT) == (10, 0) and await make.balance(account, Asset.POSTING) == (1, 0)
    await make.books()


async def test_waiting_page_receives_the_result(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=0), await make.account(tokens=0)
    async with site.browser(account) as browser, site.browser(stranger) as other:
        checkout = (await choose(browser)).headers["location"]
        payment = (await browser.get("/api/v1/payments")).json()["items"][0]["id"]
        assert (await other.get(f"/payments/{payment}/events")).status_code == 404
        received: list[str] = []
        async with browser.stream("GET", f"/payments/{payment}/events", timeout=20) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    received.append(json.loads(line[5:])["status"])
                    if len(received) == 1:
                        await browser.post(checkout, data={"outcome": "paid"})
        assert received[0] == "pending" and received[-1] == "completed"
        async with browser.stream("GET", f"/payments/{payment}/events", timeout=20) as stream:
            assert "completed" in "".join([line async for line in stream.aiter_lines()])
