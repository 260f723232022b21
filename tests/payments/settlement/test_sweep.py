"""The sweep, as job and as command: money that nobody told us of is found at every gateway, and comes once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.factories import Make
from tests.fakes.stripe import KEY, StripeFake
from tests.fakes.zarinpal import MERCHANT, Fault, ZarinPalFake
from tests.payments.helpers import one, overdue, pack
from tests.payments.stripe_helpers import right, session_of
from tests.server import Site, serving
from tests.wallet.plan_helpers import member, quota
from vetrina.cli import main
from vetrina.core.database.connection import Database
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.gateways.zarinpal import ZarinPalGateway


@pytest.fixture
def bank() -> Iterator[ZarinPalFake]:
    with ZarinPalFake() as fake:
        yield fake


@pytest_asyncio.fixture
async def shop(settings: Settings, database: str, bank: ZarinPalFake, stripe: StripeFake) -> AsyncIterator[Site]:
    """A site that sells through both; nothing is told to it."""
    result = replace(
        settings, zarinpal_merchant_id=MERCHANT, zarinpal_api_base=bank.url, stripe_api_key=KEY, stripe_api_base=stripe.url,
        stripe_webhook_secret="whsec_x", sandbox=False,
    )  # fmt: skip
    services = connect(result, database)
    services.get(Gateways).add(ZarinPalGateway(services, timeout=1))
    async with serving(services) as site:
        yield site


async def sweep(
    shop: Site, owner: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> tuple[int, dict[str, int]]:
    """`vetrina payments sweep --json`: its exit code, and what it found."""
    settings = shop.services.settings
    for name, value in {
        "VETRINA_DATABASE_URL": owner, "VETRINA_DATA": str(folder), "ZARINPAL_MERCHANT_ID": MERCHANT,
        "ZARINPAL_API_BASE": settings.zarinpal_api_base, "STRIPE_API_KEY": KEY, "STRIPE_API_BASE": settings.stripe_api_base,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("vetrina.core.command_line.logs.configure", lambda *_: None)
    capsys.readouterr()
    code = await asyncio.to_thread(main, ["payments", "sweep", "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out[out.rindex("{") :])


async def order(api: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    """A checkout."""
    answer = await api.post("/payments", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_sweep_polls_every_gateway_for_all_payments(
    shop: Site, bank: ZarinPalFake, stripe: StripeFake, make: Make, db: Database, owner: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    account = await make.account(tokens=0)
    async with shop.api(account) as api:
        rials, dollars = (await pack(api, "tokens_50_irr"))["id"], (await pack(api, "tokens_200"))["id"]
        plans = {item["name"]: item["id"] for item in (await api.get("/plans")).json()["items"]}
        paid_z, left_z, open_z = [await order(api, pack_id=rials, gateway="zarinpal") for _ in range(3)]
        paid_s, open_s = [await order(api, pack_id=dollars, gateway="stripe") for _ in range(2)]
        plan = await order(api, plan_id=plans["basic"], gateway="zarinpal")
        assert (plan["currency"], plan["amount"]) == ("IRR", 50_000)
        for payment in (paid_z, plan):
            bank.bank(payment["checkout_url"].rpartition("/")[2], paid=True)
        bank.bank(left_z["checkout_url"].rpartition("/")[2], paid=False)
        stripe.pay(session_of(stripe, paid_s)["id"])

        bank.often("verify", 1, Fault(status=502))
        code, result = await sweep(shop, owner, monkeypatch, capsys, tmp_path)
        assert code == 1 and result["away"] >= 2 and result["paid"] == 1, result
        assert (await one(api, paid_s))["status"] == "completed", "one gateway's trouble does not keep the other waiting"
        bank.well()
        code, result = await sweep(shop, owner, monkeypatch, capsys, tmp_path)
        assert code == 0 and (result["paid"], result["away"]) == (2, 0), result
        states = [(await one(api, item))["status"] for item in (paid_z, left_z, open_z, paid_s, open_s, plan)]
        assert states == ["completed", "failed", "pending", "completed", "pending", "completed"]
        code, again = await sweep(shop, owner, monkeypatch, capsys, tmp_path)
        assert code == 0 and again["paid"] == 0 and again["waiting"] == 2

        # Their time runs out; one is paid at the last moment all the same.
        await overdue(db)
        bank.bank(open_z["checkout_url"].rpartition("/")[2], paid=True)
        code, late = await sweep(shop, owner, monkeypatch, capsys, tmp_path)
        assert code == 0 and late["paid"] == 1
        assert [(await one(api, item))["status"] for item in (open_z, open_s)] == ["completed", "expired"]
    assert await make.balance(account) == (50 + 50 + 200, 0)
    assert (await member(db, account)).plan == "basic" and (await quota(db, account)).limit == 20
    await right(make)


async def test_64_callbacks_begin_a_plan_once(shop: Site, bank: ZarinPalFake, make: Make, db: Database) -> None:
    account = await make.account(kind="vendor")
    async with shop.api(account) as api:
        plans = {item["name"]: item["id"] for item in (await api.get("/plans")).json()["items"]}
        payment = await order(api, plan_id=plans["vendor_pro"], gateway="zarinpal")
        name = payment["checkout_url"].rpartition("/")[2]
        bank.bank(name, paid=True)
        bank.often("verify", 0.5, Fault(seconds=1.5))
        path = {"Authority": name, "Status": "OK"}
        answers = await asyncio.gather(*(shop.client.get("/payments/zarinpal/callback", params=path) for _ in range(64)))
        assert {answer.status_code for answer in answers} == {303}
        assert (await one(api, payment))["status"] == "completed"
    result = await member(db, account)
    assert (result.plan, result.paid_until) == ("vendor_pro", None), "one month, not two"
    assert (await quota(db, account, "image_slot")).remaining == 510
    await right(make)
