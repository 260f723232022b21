"""The operator's payments and webhook log: found, paid back, applied again."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx2
import psycopg
import pytest

from tests.factories import Make
from tests.fakes.stripe import Fault, StripeFake
from tests.payments.helpers import one, scalar
from tests.payments.stripe_helpers import an_operator, bought, checkout, delivered, drain, right, session_of
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.payments import jobs
from vetrina.payments.webhooks import actions as told


def hidden(page: httpx2.Response, name: str) -> str:
    """A hidden field of a form."""
    match = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert match, page.text
    return match[1]


async def test_an_operator_finds_and_pays_back(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    buyer, operator = await make.account(tokens=0), await an_operator(make, db)
    payment, intent = await bought(shop_site, stripe, buyer)
    async with shop_site.browser(operator) as browser, shop_site.api(buyer) as api:
        for query in (buyer.email[:9], intent, payment["id"], str(buyer.id)):
            page = await browser.get("/operator/payments", params={"q": query})
            assert "Studio, 200 tokens" in page.text and buyer.email in page.text, query
        for query in (
            "?state=refunded",
            "?gateway=zarinpal",
            "?kind=plan",
            "?since=2099-01-01",
            "?until=2020-01-01",
            "?q=nobody",
        ):
            assert "No results" in (await browser.get("/operator/payments" + query)).text
        assert "Write a day" in (await browser.get("/operator/payments?since=soon")).text

        home = f"/operator/payments/{buyer.id}/{payment['id']}"
        page = await browser.get(home)
        assert intent in page.text and 'value="14.99"' in page.text
        for wrong, message in (
            ("", "Write a sum"),
            ("1E+1000000", "Write a sum"),
            ("0", "above 0"),
            ("1.234", "2 decimals"),
            ("15", "The refund exceeds"),
        ):
            form = {"id": hidden(page, "id"), "amount": wrong, "reason": "r"}
            answer = await browser.post(f"{home}/refunds", data=form)
            assert answer.status_code in {409, 422} and message in answer.text, wrong
        form = {"id": hidden(page, "id"), "amount": "5.00", "reason": "asked for"}
        for _ in range(2):  # pressed twice
            assert (await browser.post(f"{home}/refunds", data=form)).headers["location"] == home
        await delivered(shop_site.services, stripe)
        page = await browser.get(home)
        assert "$5.00" in page.text and "66 revoked, 0 already spent" in page.text and 'value="9.99"' in page.text
        assert [item["amount"] for item in stripe.all("refunds")] == [500]
        logged = "select count(*)::int from core.audit_logs where action = 'refund_asked' and actor_id = %s"
        assert await scalar(db, logged, operator.id) == 1
        assert (await one(api, payment))["refunded"] == 500
        assert "The gateway says: paid." in (await browser.get((await browser.post(f"{home}/inquiry")).headers["location"])).text
        page = await browser.get(home)
        stripe.next("refunds", *[Fault(status=503, done=False)] * 2)
        form = {"id": hidden(page, "id"), "amount": "9.99"}
        waiting = await browser.post(f"{home}/refunds", data=form)
        assert "asked again" in (await browser.get(waiting.headers["location"])).text
        await jobs.refund(shop_site.services, str(buyer.id), form["id"])
        assert (await one(api, payment))["status"] == "refunded"
        assert "Refund</h2>" not in (await browser.get(home)).text
    await right(make)


async def test_only_operators_may(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    buyer = await make.account(tokens=0)
    payment, _ = await bought(shop_site, stripe, buyer)
    home = f"/operator/payments/{buyer.id}/{payment['id']}"
    event = await scalar(db, "select id from stripe_mirror.events limit 1")
    async with shop_site.browser(buyer) as browser:
        for path in ("/operator/payments", home, "/operator/webhooks", f"/operator/webhooks/{event}"):
            assert (await browser.get(path)).status_code == 403
            assert (await shop_site.client.get(path)).status_code == 303
        for path in (f"{home}/refunds", f"{home}/inquiry", "/operator/webhooks/replays"):
            assert (await browser.post(path, data={"amount": "1", "event": event})).status_code == 403
    assert stripe.all("refunds") == []


async def test_failed_event_is_listed_retried_and_abandoned(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer, operator = await make.account(tokens=0), await an_operator(make, db)
    real = told.HANDLERS["checkout.session.completed"]

    async def broken(*_: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setitem(told.HANDLERS, "checkout.session.completed", broken)
    monkeypatch.setitem(told.HANDLERS, "charge.succeeded", broken)
    async with shop_site.api(buyer) as api:
        payment = await checkout(api)
        stripe.pay(session_of(stripe, payment)["id"])
        await delivered(shop_site.services, stripe)
        assert (await one(api, payment))["status"] == "pending"
    due = "update payments.webhook_events set next_at = now() where outcome = 'failed'"
    for attempt in range(2, told.TRIES + 1):
        async with db.tx() as tx:
            await tx.connection.execute(due)
        assert await told.again(shop_site.services) == 2, attempt
    attempts = "select string_agg(concat_ws(' ', outcome, attempts), ',') from payments.webhook_events where error is not null"
    assert await scalar(db, attempts) == ",".join([f"dead {told.TRIES}"] * 2)
    assert await told.again(shop_site.services) == 0

    monkeypatch.setitem(told.HANDLERS, "checkout.session.completed", real)
    async with shop_site.browser(operator) as browser, shop_site.api(buyer) as api:
        page = await browser.get("/operator/webhooks?outcome=dead")
        assert "checkout.session.completed" in page.text and "charge.succeeded" in page.text
        assert ">Mirror</th>" in page.text and ">Payments</th>" in page.text and ">Stored</span>" in page.text
        everything = (await browser.get("/operator/webhooks")).text
        assert "Ignored" not in everything and "Nothing to do" in everything
        result = re.findall(r'name="event" value="(evt_\w+)"', page.text)
        one_page = await browser.get(f"/operator/webhooks/{result[0]}")
        assert "a fault of ours" in one_page.text and "Given up" in one_page.text and "&#34;api_version&#34;" in one_page.text
        answer = await browser.post("/operator/webhooks/replays", data={"all": "dead", "next": "/operator/webhooks"})
        assert "2 events are being applied again" in (await browser.get(answer.headers["location"])).text
        assert sorted(await drain(shop_site.services)) == ["applied", "failed"]
        assert (await one(api, payment))["status"] == "completed"
        # What was applied may be applied again: nothing changes.
        for match in result:
            await browser.post("/operator/webhooks/replays", data={"event": match})
        await drain(shop_site.services)
        assert "No results" in (await browser.get("/operator/webhooks?outcome=dead")).text
        assert "No results" in (await browser.get("/operator/webhooks?type=refund")).text
        assert (await browser.post("/operator/webhooks/replays", data={})).status_code == 422
        assert (await browser.get("/operator/webhooks/evt_unknown")).status_code == 404
        assert (await browser.get("/operator/webhooks?cursor=nonsense")).status_code == 422
    assert await make.balance(buyer) == (200, 0)
    await right(make)


async def test_event_with_a_lost_job_is_requeued(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, owner: str
) -> None:
    buyer = await make.account(tokens=0)
    async with shop_site.api(buyer) as api:
        payment = await checkout(api)
        stripe.pay(session_of(stripe, payment)["id"])
        await asyncio.to_thread(stripe.post.settle)
        async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
            await connection.execute("delete from procrastinate_jobs where task_name = 'payments.stripe_event'")
            await connection.execute("set session_replication_role = replica")
            await connection.execute("update stripe_mirror.events set created_at = created_at - interval '1 hour'")
        await jobs.find_events(shop_site.services)
        assert (await one(api, payment))["status"] == "completed"
    await right(make)


async def test_the_log_has_pages(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    buyer, operator = await make.account(tokens=0), await an_operator(make, db)
    with stripe.lock:
        for number in range(60):
            stripe.tell("product.created", {"id": f"prod_{number}", "object": "product"})
    await delivered(shop_site.services, stripe)
    await bought(shop_site, stripe, buyer)
    seen = list[str]()
    async with shop_site.browser(operator) as browser:
        address: str | None = "/operator/webhooks"
        while address:
            page = (await browser.get(address)).text
            seen += re.findall(r'name="event" value="(evt_\w+)"', page)
            older = re.search(r'href="(/operator/webhooks\?[^"]*cursor=[^"]+)"', page)
            address = older[1].replace("&amp;", "&") if older else None
        ignored = (await browser.get("/operator/webhooks?type=product.&outcome=ignored")).text
        assert ignored.count("product.created") >= 50
    assert len(seen) == len(set(seen)) == await scalar(db, "select count(*)::int from stripe_mirror.events")


async def test_refunding_an_unknown_payment_answers_404(site: Site, make: Make, db: Database) -> None:
    """The check whether a refund needs the password reads the payment before the route does."""
    operator = await an_operator(make, db)
    async with site.browser(operator) as browser:
        for path in (f"{operator.id}/{new_id()}", f"{new_id()}/{new_id()}"):
            answer = await browser.post(f"/operator/payments/{path}/refunds", data={"id": str(new_id()), "amount": "1"})
            assert answer.status_code == 404, path
