"""What a gateway of someone else's may do to us: be away, be slow, be asked; and the sandbox turned off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.factories import Make
from tests.payments.helpers import Bank, one, overdue, pack, press, scalar, start
from tests.server import Site, serving
from vetrina.core.database.connection import Database
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings
from vetrina.payments import jobs, queries
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.model import GatewayResult, GatewayStatus

PAID = GatewayResult(GatewayStatus.PAID, reference="ch_1", card_mask="**** 4242")


def plug(site: Site) -> Bank:
    """A bank beside the sandbox."""
    bank = Bank()
    site.services.get(Gateways).add(bank)
    return bank


@pytest_asyncio.fixture
async def shut(settings: Settings, database: str) -> AsyncIterator[Site]:
    """The site with its sandbox turned off."""
    async with serving(connect(replace(settings, sandbox=False), database)) as result:
        yield result


async def test_another_gateway_plugs_in(site: Site, make: Make, db: Database) -> None:
    bank, account = plug(site), await make.account(tokens=0)
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        payment = (await api.post("/payments", json=body)).json()
        assert payment["checkout_url"] == f"https://checkout.example/{payment['id']}"
        assert str(bank.begun[0].callback_url).endswith(f"/payments/{payment['id']}")
        # Its callback or webhook finds the payment by reference and hands the word on.
        async with db.tx() as tx:
            row = await tx.fetch_one(queries.BY_REF, gateway="stripe", ref=f"cs_{bank.begun[0].id.hex}")
        assert str(row.id) == payment["id"]
        bank.word = PAID
        await overdue(db)
        await jobs.expire_due(site.services)
        paid = await one(api, payment)
        assert (paid["status"], paid["reference"], paid["card_mask"]) == ("completed", "ch_1", "**** 4242")
    assert await make.balance(account) == (50, 0)
    assert bank.asked == [f"cs_{bank.begun[0].id.hex}"]


async def test_unavailable_gateway_is_reported_and_the_key_stays_usable(site: Site, make: Make) -> None:
    bank, account = plug(site), await make.account(tokens=0)
    bank.down = True
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        key = {"Idempotency-Key": "k"}
        answer = await api.post("/payments", json=body, headers=key)
        assert (answer.status_code, answer.json()["detail"]) == (503, "The bank does not answer. Nothing was charged.")
        (failed,) = (await api.get("/payments")).json()["items"]
        assert (failed["status"], failed["failure_reason"]) == ("failed", "The bank does not answer. Nothing was charged.")
        bank.down = False
        assert (await api.post("/payments", json=body, headers=key)).status_code == 201
    async with site.browser(account) as browser:
        bank.down = True
        page = await browser.post("/wallet/buy", data={"pack_id": body["pack_id"], "gateway": "stripe", "next": "/account"})
        assert page.status_code == 503 and "The bank does not answer" in page.text and 'value="/account"' in page.text


@pytest.mark.parametrize("by", ["the same account", "another account"])
async def test_a_reference_given_out_twice_ends_the_payment_as_failed(site: Site, make: Make, db: Database, by: str) -> None:
    """A gateway that begins its numbers again, as a fake did that was started again beside the same database."""
    bank, first = plug(site), await make.account(tokens=0)
    second = first if by == "the same account" else await make.account(tokens=0)
    bank.ref = "cs_again"
    async with site.api(first) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        payment = (await api.post("/payments", json=body)).json()
    async with site.api(second) as api, site.browser(second) as browser:
        refused = await api.post("/payments", json=body)
        message = "The bank answered with the reference of another payment. Nothing was charged."
        assert (refused.status_code, refused.json()["detail"]) == (503, message)
        form = {"pack_id": (await pack(api, "tokens_200"))["id"], "gateway": "stripe"}
        page = await browser.post("/wallet/buy", data=form)
        assert page.status_code == 503 and message in page.text
        ended = [item for item in (await api.get("/payments")).json()["items"] if item["id"] != payment["id"]]
        assert [(item["status"], item["failure_reason"]) for item in ended] == [("failed", message)] * 2
        assert message in (await browser.get(f"/payments/{ended[0]['id']}")).text
    async with site.api(first) as api:
        assert (await one(api, payment))["status"] == "pending"
    bank.word = PAID
    await overdue(db)
    await jobs.expire_due(site.services)
    assert await make.balance(first) == (50, 0)


async def test_no_transaction_is_open_during_a_gateway_call(site: Site, make: Make, db: Database) -> None:
    bank, account = plug(site), await make.account(tokens=0)
    bank.pause = 1.0
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        under_way = asyncio.create_task(api.post("/payments", json=body, headers={"Idempotency-Key": "k"}))
        while not bank.begun:
            await asyncio.sleep(0.01)
        idle = "select count(*)::int from pg_stat_activity where datname = current_database() and state like 'idle in%%'"
        assert await scalar(db, idle) == 0
        assert (await one(api, {"id": str(bank.begun[0].id)}))["status"] == "pending"
        meanwhile = await api.post("/payments", json=body, headers={"Idempotency-Key": "k"})
        assert (meanwhile.status_code, meanwhile.json()["type"]) == (409, "urn:vetrina:key-in-use")
        assert (await under_way).status_code == 201
        assert len(bank.begun) == 1


async def test_request_that_takes_over_the_key_reuses_the_payment(site: Site, make: Make, db: Database) -> None:
    """The process died after the bank had opened a checkout and before that was written down."""
    bank, account = plug(site), await make.account(tokens=0)
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        first = (await api.post("/payments", json=body, headers={"Idempotency-Key": "k"})).json()
        async with db.tx() as tx:
            await tx.connection.execute(
                "update core.idempotency_keys set response = null, claimed_at = now() - interval '61 seconds'"
            )
            await tx.connection.execute("update payments.payments set checkout_url = null, track_id = null")
        again = (await api.post("/payments", json=body, headers={"Idempotency-Key": "k"})).json()
        assert again == first
        assert [item.id for item in bank.begun] == [bank.begun[0].id] * 2
        assert [item["action"] for item in (await api.get("/usage")).json()["items"]] == ["payment_started"]
        assert await scalar(db, "select count(*)::int from payments.gateway_refs") == 1


async def test_expiring_payment_is_polled_first(site: Site, make: Make, db: Database) -> None:
    bank, account = plug(site), await make.account(tokens=0)
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        payment = (await api.post("/payments", json=body)).json()
        await overdue(db)
        bank.down = True
        await jobs.expire_due(site.services)
        assert (await one(api, payment))["status"] == "pending", "whoever cannot be asked may have been paid"
        async with db.tx() as tx:
            await tx.connection.execute("update payments.payments set expires_at = expires_at - interval '24 hours'")
        await jobs.expire_due(site.services)
        assert (await one(api, payment))["status"] == "expired"

        declined = (await api.post("/payments", json=body)).json()
        assert declined["type"] == "urn:vetrina:gateway-failed"
        bank.down, bank.word = False, GatewayResult(GatewayStatus.DECLINED, reason="The card has expired.")
        payment = (await api.post("/payments", json=body)).json()
        await overdue(db)
        await jobs.expire_due(site.services)
        ended = await one(api, payment)
        assert (ended["status"], ended["failure_reason"]) == ("failed", "The card has expired.")


async def test_one_gateways_trouble_does_not_keep_the_others_waiting(
    site: Site, make: Make, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    bank, account = plug(site), await make.account(tokens=0)
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        stuck = [(await api.post("/payments", json=body)).json() for _ in range(5)]
        other = await start(api)
        await overdue(db)
        for down, fault in ((True, None), (False, ZeroDivisionError())):
            bank.down, bank.fault = down, fault
            await jobs.expire_due(site.services)
            assert [(await one(api, item))["status"] for item in stuck] == ["pending"] * 5
        assert (await one(api, other))["status"] == "expired"
        bank.down, bank.fault = False, None
        await jobs.expire_due(site.services)
        assert {(await one(api, item))["status"] for item in stuck} == {"expired"}


async def test_a_gateway_takes_its_own_currencies(site: Site, make: Make, db: Database) -> None:
    plug(site)
    account = await make.account(tokens=0)
    async with db.tx() as tx:
        await tx.connection.execute("update wallet.packs set currency = 'IRR', price = 250000 where name = 'tokens_50'")
    async with site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"]}
        refused = await api.post("/payments", json={**body, "gateway": "stripe"})
        assert (refused.status_code, refused.json()["detail"]) == (422, "The bank does not take IRR.")
        assert (await api.post("/payments", json=body)).json()["gateway"] == "sandbox"


async def test_the_sandbox_can_be_turned_off(shut: Site, site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        payment = await start(api)
    async with shut.api(account) as api, shut.browser(account) as browser:
        assert (await shut.client.get(urlsplit(payment["checkout_url"]).path)).status_code == 404
        assert (await press(shut.client, payment, "paid")).status_code == 404
        body = {"pack_id": payment["pack_id"]}
        named = await api.post("/payments", json={**body, "gateway": "sandbox"})
        assert (named.status_code, named.json()["field"]) == (422, "gateway")
        bare = await api.post("/payments", json=body)
        assert (bare.status_code, bare.json()["type"]) == (503, "urn:vetrina:no-gateway")
        page = await browser.get("/wallet/buy")
        assert page.status_code == 200 and "Payments are not available" in page.text and "Continue to checkout" not in page.text
        sent = await browser.post("/wallet/buy", data={**body, "gateway": "sandbox"})
        assert sent.status_code == 422
        assert (await browser.get(f"/payments/{payment['id']}")).status_code == 200
        # What was begun before still comes to its end.
        await overdue(db)
        await jobs.expire_due(shut.services)
        assert (await one(api, payment))["status"] == "expired"
    assert await make.balance(account) == (0, 0)
