"""ZarinPal, from the button to the wallet, over HTTP on both sides: told often, told lies, left alone, out of breath."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import pytest_asyncio

from tests.factories import Make
from tests.fakes.zarinpal import MERCHANT, Fault, ZarinPalFake
from tests.payments.helpers import one, overdue, pack, scalar
from tests.server import Site, serving
from vetrina.clients.zarinpal import ALREADY, PAID, State, ZarinPal, ZarinPalAway, ZarinPalRefused
from vetrina.core.database.connection import Database
from vetrina.core.services import Services, connect
from vetrina.core.settings.environment import Settings
from vetrina.payments import jobs
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.gateways.zarinpal import ZarinPalGateway
from vetrina.payments.settlement import sweep

SLOW = 0.6
"""Seconds that we wait for ZarinPal here."""
NOW = timedelta(seconds=-1)


@pytest.fixture
def bank() -> Iterator[ZarinPalFake]:
    with ZarinPalFake() as fake:
        yield fake


@pytest_asyncio.fixture
async def shop(settings: Settings, database: str, bank: ZarinPalFake) -> AsyncIterator[Site]:
    """The site with ZarinPal turned on."""
    result = replace(settings, zarinpal_merchant_id=MERCHANT, zarinpal_api_base=bank.url, sandbox=False)
    services = connect(result, database)
    services.get(Gateways).add(ZarinPalGateway(services, timeout=SLOW))
    async with serving(services) as site:
        yield site


async def checkout(api: httpx2.AsyncClient, name: str = "tokens_200_irr") -> dict[str, Any]:
    """A payment through ZarinPal."""
    answer = await api.post("/payments", json={"pack_id": (await pack(api, name))["id"], "gateway": "zarinpal"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def authority(payment: dict[str, Any]) -> str:
    return payment["checkout_url"].rpartition("/")[2]


async def back(shop: Site, name: str, status: str = "OK") -> httpx2.Response:
    """The buyer's browser comes back to us."""
    return await shop.client.get("/payments/zarinpal/callback", params={"Authority": name, "Status": status})


async def sweeping(services: Services) -> sweep.Swept:
    return await sweep.sweep(services, young=NOW, pause=NOW)


async def test_a_pack_is_bought_in_rials(shop: Site, bank: ZarinPalFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop.browser(account) as browser, shop.api(account) as api:
        page = await browser.get("/wallet/buy?currency=IRR")
        assert "150,000 IRR" in page.text and "ZarinPal" in page.text and "$4.99" not in page.text
        form = {"pack_id": (await pack(api, "tokens_200_irr"))["id"], "gateway": "zarinpal", "next": "/studio"}
        address = (await browser.post("/wallet/buy", data=form)).headers["location"]
        assert address.startswith(f"{bank.url}/pg/StartPay/A")
        assert "150,000 rials" in (await shop.client.get(address)).text

        session = bank.sessions[address.rpartition("/")[2]]
        assert (session.amount, session.currency) == (150_000, "IRR")
        returned = (await shop.client.post(address, data={"outcome": "paid"})).headers["location"]
        parts = urlsplit(returned)
        assert parts.path == "/payments/zarinpal/callback"
        done = await browser.get(f"{parts.path}?{parts.query}")
        assert done.status_code == 303 and done.headers["location"].startswith("/payments/")
        assert "Payment received" in (await browser.get(done.headers["location"])).text
        (paid,) = (await api.get("/payments")).json()["items"]
        assert (paid["status"], paid["reference"], paid["card_mask"]) == ("completed", str(session.ref_id), session.card_pan)
    assert await make.balance(account) == (200, 0)
    assert bank.codes == [PAID]
    await make.books()


async def test_64_callbacks_while_half_of_the_answers_never_come(
    shop: Site, bank: ZarinPalFake, make: Make, db: Database
) -> None:
    account = await make.account(tokens=0)
    async with shop.api(account) as api:
        payment = await checkout(api)
        name = authority(payment)
        bank.bank(name, paid=True)
        bank.often("verify", 0.5, Fault(seconds=SLOW * 2))
        answers = await asyncio.gather(*(back(shop, name) for _ in range(64)))
        assert {answer.status_code for answer in answers} == {303}
        assert {answer.headers["location"] for answer in answers} == {f"/payments/{payment['id']}"}
        assert bank.codes.count(PAID) == 1 and bank.codes.count(ALREADY) > 30
        assert (await one(api, payment))["status"] == "completed"
        # Jobs that were left to ask again change nothing.
        await jobs.ask(shop.services, str(account.id), payment["id"])
    assert await make.balance(account) == (200, 0)
    assert await scalar(db, "select count(*)::int from wallet.grants where source = 'purchase'") == 1
    await make.books()


async def test_lost_verification_response_is_recovered_by_the_job(shop: Site, bank: ZarinPalFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop.api(account) as api:
        payment = await checkout(api)
        bank.bank(authority(payment), paid=True)
        bank.next("verify", Fault(seconds=SLOW * 2))
        assert (await back(shop, authority(payment))).status_code == 303
        assert (await one(api, payment))["status"] == "pending" and bank.codes == [PAID]
        await jobs.ask(shop.services, str(account.id), payment["id"])
        assert bank.codes == [PAID, ALREADY]
        assert (await one(api, payment))["status"] == "completed"
    assert await make.balance(account) == (200, 0)


@pytest.mark.parametrize("fault", [Fault(seconds=SLOW * 2), Fault(status=502), Fault(status=200), Fault(done=False, status=500)])
async def test_whatever_goes_wrong_once_the_sweep_mends(shop: Site, bank: ZarinPalFake, make: Make, fault: Fault) -> None:
    account = await make.account(tokens=0)
    async with shop.api(account) as api:
        payment = await checkout(api)
        bank.bank(authority(payment), paid=True)
        bank.next("verify", fault)
        await back(shop, authority(payment))
        assert (await one(api, payment))["status"] == "pending"
        assert (await sweeping(shop.services)).paid >= 1
        assert (await one(api, payment))["status"] == "completed"
        assert (await sweeping(shop.services)).asked == 0
    assert await make.balance(account) == (200, 0)


async def test_paid_checkout_without_return_is_settled(shop: Site, bank: ZarinPalFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop.api(account) as api:
        paid, left, waiting = [await checkout(api) for _ in range(3)]
        bank.bank(authority(paid), paid=True)
        bank.bank(authority(left), paid=False)
        # Young payments are left alone, but what ZarinPal lists as taken and unverified is not.
        await jobs.sweep(shop.services)
        assert bank.calls == {"request": 3, "unVerified": 1, "verify": 1}
        assert [(await one(api, item))["status"] for item in (paid, left, waiting)] == ["completed", "pending", "pending"]
        result = await sweeping(shop.services)
        assert (result.asked, result.ended, result.waiting) == (2, 1, 1)
        assert [(await one(api, item))["status"] for item in (paid, left, waiting)] == ["completed", "failed", "pending"]
        await overdue(db)
        await jobs.expire_due(shop.services)
        assert (await one(api, waiting))["status"] == "expired"
        # And then the bank takes the money after all.
        bank.bank(authority(waiting), paid=True)
        await jobs.sweep(shop.services)
        assert (await one(api, waiting))["status"] == "completed"
    assert await make.balance(account) == (400, 0)
    await make.books()


async def test_the_query_is_not_believed(shop: Site, bank: ZarinPalFake, make: Make) -> None:
    account, thief = await make.account(tokens=0), await make.account(tokens=0)
    async with shop.api(account) as api, shop.api(thief) as other:
        payment = await checkout(api)
        name = authority(payment)
        await back(shop, name)
        assert (await one(api, payment))["status"] == "pending", "OK in the query is nobody's word"
        bank.bank(name, paid=True)
        query = {"Authority": name, "Status": "NOK", "amount": "1", "Amount": "1", "currency": "IRT"}
        await shop.client.get("/payments/zarinpal/callback", params=query)
        assert (await one(api, payment))["status"] == "completed"
        assert (await back(shop, "A" + "0" * 35)).status_code == 404
        assert (await shop.client.get("/payments/zarinpal/callback")).status_code in {400, 422}
        assert (await other.get(f"/payments/{payment['id']}")).status_code == 404
    assert await make.balance(account) == (200, 0) and await make.balance(thief) == (0, 0)


async def test_another_amount_at_zarinpal_grants_nothing(shop: Site, bank: ZarinPalFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop.api(account) as api:
        payment = await checkout(api)
        bank.bank(authority(payment), paid=True).amount = 10_000
        await back(shop, authority(payment))
        await sweeping(shop.services)
        assert (await one(api, payment))["status"] == "pending"
    assert await make.balance(account) == (0, 0)


async def test_only_rials(shop: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop.api(account) as api:
        body = {"pack_id": (await pack(api, "tokens_50"))["id"], "gateway": "zarinpal"}
        refused = await api.post("/payments", json=body)
        assert (refused.status_code, refused.json()["detail"]) == (422, "ZarinPal does not take USD.")
        body["pack_id"] = (await pack(api, "tokens_50_irr"))["id"]
        async with db.tx() as tx:
            await tx.connection.execute("update wallet.packs set currency = 'IRT' where name = 'tokens_50_irr'")
        assert (await api.post("/payments", json=body)).json()["detail"] == "ZarinPal does not take IRT."


@pytest.mark.parametrize("fault", [Fault(seconds=SLOW * 2), Fault(done=False, status=503)])
async def test_no_checkout_while_the_gateway_is_unavailable(shop: Site, bank: ZarinPalFake, make: Make, fault: Fault) -> None:
    account = await make.account(tokens=0)
    bank.next("request", fault)
    async with shop.api(account) as api:
        body = {"pack_id": (await pack(api, "tokens_50_irr"))["id"]}
        refused = await api.post("/payments", json=body)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:vetrina:gateway-failed")
        assert authority(await checkout(api)) in bank.sessions


async def test_client_reports_zarinpal_errors(bank: ZarinPalFake) -> None:
    client = ZarinPal(MERCHANT, bank.url, timeout=SLOW)
    name = await client.request(amount=20_000, callback_url="http://127.0.0.1/", description="Ink", order="1")
    assert await client.inquiry(name) == State.IN_BANK and await client.unverified() == []
    for amount, code in ((20_000, -51), (20_001, -50)):
        with pytest.raises(ZarinPalRefused) as refused:
            await client.verify(name, amount=amount)
        assert refused.value.code == code
    bank.bank(name, paid=True)
    (waiting,) = await client.unverified()
    assert (waiting.authority, waiting.amount) == (name, 20_000)
    assert [(await client.verify(name, amount=20_000)).code for _ in range(2)] == [PAID, ALREADY]
    await client.reverse(name)
    assert await client.inquiry(name) == State.REVERSED
    with pytest.raises(ZarinPalRefused):
        await client.reverse(name)
    with pytest.raises(ZarinPalRefused) as refused:
        await ZarinPal("wrong", bank.url).request(amount=20_000, callback_url="x", description="x", order="1")
    assert refused.value.code == -10
    for body in (b"[1]", b'{"data": [], "errors": []}', b'{"data": {"code": 100}, "errors": []}', b"\xff"):
        bank.next("verify", Fault(status=200, body=body))
        with pytest.raises(ZarinPalAway):
            await client.verify(name, amount=20_000)


async def test_restarted_fake_reuses_no_authority(bank: ZarinPalFake) -> None:
    authorities: set[str] = set()
    with ZarinPalFake() as again:
        for fake in (bank, again):
            for _ in range(3):
                client = ZarinPal(MERCHANT, fake.url)
                body = {"callback_url": "https://shop.example", "description": "x", "order": "1"}
                authorities.add(await client.request(amount=20_000, **body))
    assert len(authorities) == 6 and all(len(authority) == 36 for authority in authorities)
