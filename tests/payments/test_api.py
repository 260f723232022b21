"""A purchase over the API: paid, declined, left, expired; told often; by strangers; with a key."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import httpx2
import pytest

from tests.factories import Make, race
from tests.payments.helpers import one, overdue, pack, press, scalar, start
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.jobs.queue import enqueue
from vetrina.core.services import Services
from vetrina.payments import jobs


async def usage(api: httpx2.AsyncClient) -> list[str]:
    """What was recorded of the account, the oldest first."""
    return [item["action"] for item in reversed((await api.get("/usage")).json()["items"])]


async def test_a_pack_is_bought(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api, "tokens_200")
        about = {name: payment[name] for name in ("status", "kind", "amount", "currency", "asset", "quantity", "description")}
        assert about == {
            "status": "pending",
            "kind": "tokens",
            "amount": 1499,
            "currency": "USD",
            "asset": "token",
            "quantity": 200,
            "description": "Studio, 200 tokens",
        }
        assert payment["gateway"] == "sandbox" and payment["paid_at"] is None
        assert await make.balance(account) == (0, 0)

        # Without an account: whoever has the address plays the bank.
        assert payment["checkout_url"].startswith(site.url + "/"), "an address that a program can open as it is"
        page = await site.client.get(payment["checkout_url"])
        assert page.status_code == 200 and "no money moves" in page.text and "$14.99" in page.text
        answer = await press(site.client, payment, "paid")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/payments/{payment['id']}")

        paid = await one(api, payment)
        assert (paid["status"], paid["checkout_url"]) == ("completed", None)
        assert paid["paid_at"] and paid["reference"].startswith("TEST-")
        assert await make.balance(account) == (200, 0)
        entry = (await api.get("/wallet/entries")).json()["items"][0]
        assert (entry["quantity"], entry["source"], entry["note"]) == (200, "purchase", "Studio, 200 tokens")
        assert await usage(api) == ["payment_started", "payment_completed"]
        settled = await site.client.get(payment["checkout_url"])
        assert "already ended" in settled.text and 'name="outcome"' not in settled.text
    await make.books()


@pytest.mark.parametrize(("outcome", "status"), [("declined", "failed"), ("cancelled", "cancelled")])
async def test_unpaid_payment_grants_nothing(site: Site, make: Make, outcome: str, status: str) -> None:
    account = await make.account(tokens=3)
    async with site.api(account) as api:
        payment = await start(api)
        for _ in range(2):
            assert (await press(site.client, payment, outcome)).status_code == 303
        ended = await one(api, payment)
        assert (ended["status"], ended["paid_at"], ended["checkout_url"]) == (status, None, None)
        assert bool(ended["failure_reason"]) == (outcome == "declined")
        assert await usage(api) == ["payment_started", f"payment_{status}"]
    assert await make.balance(account) == (3, 0)


async def test_unpaid_payment_expires(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
        await jobs.expire_due(site.services)
        assert (await one(api, payment))["status"] == "pending"
        await overdue(db)
        await jobs.expire_due(site.services)
        await jobs.expire_due(site.services)
        assert (await one(api, payment))["status"] == "expired"
        assert await usage(api) == ["payment_started", "payment_expired"]


async def test_the_worker_lets_payments_expire_by_itself(site: Site, make: Make, db: Database, worker: Services) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
        await overdue(db)
        async with db.tx() as tx:
            await enqueue(tx, "payments.expire_due", queue="payments")
        with site.services.hub.subscribe(f"payments/{payment['id']}") as reported:
            async for _ in reported.messages(poll_interval=0.5):
                if (await one(api, payment))["status"] != "pending":
                    break
        assert (await one(api, payment))["status"] == "expired"


@pytest.mark.parametrize("before", ["declined", "cancelled", "expired"])
async def test_money_that_comes_late_is_still_money(site: Site, make: Make, db: Database, before: str) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
        if before == "expired":
            await overdue(db)
            await jobs.expire_due(site.services)
        else:
            await press(site.client, payment, before)
        assert (await one(api, payment))["status"] in {"failed", "cancelled", "expired"}
        await press(site.client, payment, "paid")
        paid = await one(api, payment)
        assert (paid["status"], paid["failure_reason"]) == ("completed", None)
    assert await make.balance(account) == (50, 0)
    await make.books()


@pytest.mark.parametrize("after", ["declined", "cancelled"])
async def test_decline_after_payment_does_not_revoke_credits(site: Site, make: Make, after: str) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
        await press(site.client, payment, "paid")
        first = await one(api, payment)
        assert (await press(site.client, payment, after)).status_code == 303
        assert await one(api, payment) == first
    assert await make.balance(account) == (50, 0)


async def test_64_concurrent_results_grant_once(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)

        async def pressed() -> httpx2.Response:
            """Press until there was a connection to the database: a slow machine has none within the time limit."""
            while (answer := await press(site.client, payment, "paid")).status_code == 503:
                await asyncio.sleep(0.1)
            return answer

        answers = await race(64, pressed)
        assert {answer.status_code for answer in answers if isinstance(answer, httpx2.Response)} == {303}, answers
        assert (await one(api, payment))["status"] == "completed"
        assert (await usage(api)).count("payment_completed") == 1
    assert await make.balance(account) == (50, 0)
    assert await scalar(db, "select count(*)::int from wallet.grants where account_id = %s", account.id) == 3  # 2 of the plan's
    await make.books()


async def test_paid_wins_over_concurrent_other_results(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
        outcomes = ["paid"] * 4 + ["declined"] * 20 + ["cancelled"] * 20
        random.Random(3).shuffle(outcomes)

        async def expire() -> None:
            await overdue(db)
            await jobs.expire_due(site.services)

        words = iter(outcomes)
        await race(44, lambda: press(site.client, payment, next(words)))
        await race(4, expire)
        assert (await one(api, payment))["status"] == "completed"
    assert await make.balance(account) == (50, 0)
    await make.books()


async def test_strangers_find_nothing(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=0), await make.account(tokens=0)
    async with site.api(account) as api, site.api(stranger) as other:
        payment = await start(api)
        assert (await other.get(f"/payments/{payment['id']}")).status_code == 404
        assert (await other.get("/payments")).json() == {"items": [], "next_cursor": None}
        assert (await api.get(f"/payments/{new_id()}")).status_code == 404
    for path in ("/payments", f"/payments/{payment['id']}"):
        assert (await site.client.get("/api/v1" + path)).status_code == 401
    assert (await site.client.post("/api/v1/payments", json={"pack_id": payment["pack_id"]})).status_code == 401


async def test_history_has_pages_and_a_filter(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        ids = [(await start(api))["id"] for _ in range(3)]
        await press(site.client, await one(api, {"id": ids[0]}), "paid")
        first = (await api.get("/payments", params={"limit": 2})).json()
        rest = (await api.get("/payments", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1] and rest["next_cursor"] is None
        completed = (await api.get("/payments", params={"status": "completed"})).json()["items"]
        assert [item["id"] for item in completed] == ids[:1]
        assert (await api.get("/payments", params={"status": "paid"})).status_code == 422
        assert (await api.get("/payments", params={"cursor": "x"})).status_code == 422


async def test_the_same_key_is_one_payment(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "sandbox"}
        key = {"Idempotency-Key": "buy 1"}
        first = await api.post("/payments", json=body, headers=key)
        await press(site.client, first.json(), "paid")
        again = await api.post("/payments", json=body, headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.content == again.content
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        changed = await api.post("/payments", json={**body, "pack_id": (await pack(api, "tokens_200"))["id"]}, headers=key)
        assert (changed.status_code, changed.json()["type"]) == (422, "urn:vetrina:key-reused")
        assert len((await api.get("/payments")).json()["items"]) == 1
        for bad in ("", "x" * 256):
            assert (await api.post("/payments", json=body, headers={"Idempotency-Key": bad})).status_code == 422
    assert await make.balance(account) == (50, 0)
    assert await scalar(db, "select count(*)::int from payments.payments") == 1


async def test_the_same_key_at_once_is_one_payment(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"]}
        answers = await race(32, lambda: api.post("/payments", json=body, headers={"Idempotency-Key": "k"}))
        assert {answer.status_code for answer in answers if isinstance(answer, httpx2.Response)} <= {201, 409}, answers
        created = {answer.content for answer in answers if isinstance(answer, httpx2.Response) and answer.status_code == 201}
        assert len(created) == 1
        assert len((await api.get("/payments")).json()["items"]) == 1


BAD: dict[str, tuple[Any, int]] = {
    "no pack": ({}, 422),
    "a pack that is no id": ({"pack_id": "tokens_50"}, 422),
    "a pack that is not there": ({"pack_id": "018f0000-0000-7000-8000-000000000000"}, 422),
    "no object": ([], 422),
    "an unknown gateway": ({"gateway": "cheque"}, 422),
    "a gateway that is not set up": ({"gateway": "stripe"}, 422),
    "a gateway with a NUL": ({"gateway": "sand\0box"}, 422),
    "a gateway of the wrong type": ({"gateway": 5}, 422),
    "a price of one's own": ({"amount": 1}, 422),
    "a plan": ({"plan_id": "018f0000-0000-7000-8000-000000000000"}, 422),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_is_refused_in_words_and_leaves_nothing(site: Site, make: Make, db: Database, name: str) -> None:
    body, status = BAD[name]
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        if isinstance(body, dict) and body and "pack_id" not in body:
            body = {"pack_id": (await pack(api))["id"], **body}
        answer = await api.post("/payments", json=body, headers={"Idempotency-Key": "k"})
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json" and answer.json()["detail"]
        malformed = await api.post("/payments", content=b'{"pack_id": ', headers={"Content-Type": "application/json"})
        assert malformed.status_code == 400
    for table in ("payments.payments", "core.idempotency_keys", "core.usage"):
        assert await scalar(db, f"select count(*)::int from {table}".encode()) == 0


async def test_a_pack_that_is_sold_no_more(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        expected = await pack(api)
        async with db.tx() as tx:
            await tx.connection.execute("update wallet.packs set is_active = false where name = 'tokens_50'")
        answer = await api.post("/payments", json={"pack_id": expected["id"]})
        assert (answer.status_code, answer.json()["field"]) == (422, "pack_id")


async def test_a_price_is_fixed_when_the_checkout_opens(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
        async with db.tx() as tx:
            await tx.connection.execute("update wallet.packs set price = 999, quantity = 10 where name = 'tokens_50'")
        await press(site.client, payment, "paid")
        paid = await one(api, payment)
        assert (paid["amount"], paid["quantity"]) == (499, 50)
    assert await make.balance(account) == (50, 0)


async def test_checkout_rejects_unknown_outcomes(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
        for data in ({"outcome": "free"}, {"outcome": ""}, {}):
            assert (await site.client.post(payment["checkout_url"], data=data)).status_code == 422
        for kind in ("application/x-www-form-urlencoded", "application/json", "text/plain", "multipart/form-data"):
            answer = await site.client.post(payment["checkout_url"], content=b"\xff{}", headers={"Content-Type": kind})
            assert answer.status_code in {400, 422}, (kind, answer.status_code)
        token = payment["checkout_url"].rpartition("/")[2]
        for wrong in (token[:-1], token[:-1] + ("a" if token[-1] != "a" else "b"), "%00" * 32, "x" * 32, payment["id"]):
            assert (await site.client.get(f"/payments/sandbox/{wrong}")).status_code == 404, wrong
            assert (await site.client.post(f"/payments/sandbox/{wrong}", data={"outcome": "paid"})).status_code == 404
        assert (await one(api, payment))["status"] == "pending"
        foreign = {"Origin": "https://elsewhere.example", "Cookie": "vetrina_session=x"}
        answer = await site.client.post(payment["checkout_url"], data={"outcome": "paid"}, headers=foreign)
        assert answer.status_code == 403
