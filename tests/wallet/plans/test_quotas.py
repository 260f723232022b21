"""Quotas over HTTP: uploads take slots, pictures take conversions where they are asked to, a denial says when they come anew."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.factories import Make
from tests.payments.helpers import pack, press
from tests.server import Site
from tests.studio.helpers import upload, wish
from tests.wallet.plan_helpers import ledger, member, pay, quota
from vetrina.accounts.model import Kind
from vetrina.core.database.connection import Database
from vetrina.demo.photos import path_of
from vetrina.wallet.model import Asset


async def send(api: httpx2.AsyncClient, category: str = "album_image") -> httpx2.Response:
    """Bring a small picture."""
    files = {"file": ("cat.jpg", path_of("cat").read_bytes(), "image/jpeg")}
    return await api.post("/files", data={"category": category}, files=files)


async def test_api_returns_quotas(site: Site, make: Make, db: Database) -> None:
    account, vendor = await make.account(), await make.account(kind="vendor")
    async with site.api(account) as api, site.api(vendor) as other_api:
        plans = (await api.get("/plans")).json()["items"]
        prices = {item["name"]: item["prices"] for item in plans}
        assert prices == {
            "free": {}, "basic": {"IRR": 50_000, "USD": 499}, "advanced": {"IRR": 150_000, "USD": 1499},
            "vendor_free": {}, "vendor_pro": {"IRR": 100_000, "USD": 999},
        }  # fmt: skip
        membership = (await api.get("/membership")).json()
        assert (membership["plan"], membership["state"], membership["next_plan"]) == ("free", "active", None)
        buckets = {item["asset"]: item for item in (await api.get("/quotas")).json()["items"]}
        assert {name: (entry["limit"], entry["used"], entry["remaining"]) for name, entry in buckets.items()} == {
            "conversion": (2, 0, 2), "image_slot": (5, 0, 5),
        }  # fmt: skip
        assert {bucket["resets_at"] for bucket in buckets.values()} == {membership["period_end"]}
        vendors = {item["asset"]: item["limit"] for item in (await other_api.get("/quotas")).json()["items"]}
        assert vendors == {"conversion": 0, "image_slot": 10}


@pytest.mark.parametrize(("kind", "allowed"), [("user", 5), ("vendor", 10)])
async def test_uploads_end_where_the_plan_does(site: Site, make: Make, db: Database, kind: Kind, allowed: int) -> None:
    account = await make.account(kind=kind)
    # All but two are used, so that few pictures have to be read.
    async with db.tx() as tx:
        await tx.connection.execute("select wallet.spend(%s, 'image_slot', %s, 'before')", (account.id, allowed - 2))
    async with site.api(account) as api:
        answers = await asyncio.gather(*(send(api) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 402, 402]
        refused = next(answer.json() for answer in answers if answer.status_code == 402)
        assert refused["type"] == "urn:vetrina:quota-used-up"
        assert (refused["bucket"], refused["remaining"], refused["limit"]) == ("image_slot", 0, allowed)
        assert refused["resets_at"] and f"{allowed} of {allowed} uploads used this month, 0 left" in refused["detail"]
        assert len((await api.get("/files")).json()["items"]) == 2
        assert (await send(api, "profile_image")).status_code == 201, "a face takes no slot"
    assert await make.balance(account, Asset.IMAGE_SLOT) == (0, 0)
    await make.books()


async def test_a_picture_that_cannot_be_read_takes_no_slot(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.api(account) as api:
        files = {"file": ("x.jpg", b"no picture at all", "image/jpeg")}
        assert (await api.post("/files", data={"category": "album_image"}, files=files)).status_code == 415
    assert await make.balance(account, Asset.IMAGE_SLOT) == (5, 0)


async def test_purchased_tokens_raise_the_upload_quota(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=5)
    async with db.tx() as tx:
        await tx.connection.execute("select wallet.spend(%s, 'image_slot', 5, 'before')", (account.id,))
    async with site.api(account) as api, site.browser(account) as browser:
        assert (await send(api, "product_image")).status_code == 402, "tokens given by an operator do not lift the quota"
        for path in ("/library", "/studio"):
            page = (await browser.get(path)).text
            assert "0 of 5 uploads left until" in page and 'href="/wallet/buy"' in page and 'href="/plan"' in page
        body = {"pack_id": (await pack(api))["id"], "gateway": "sandbox"}
        await press(site.client, (await api.post("/payments", json=body)).json(), "paid")
        assert (await send(api, "product_image")).status_code == 201
        assert (await send(api, "model_image")).status_code == 201
        assert (await send(api, "album_image")).status_code == 402, "an album is not what pictures are made from"


async def test_welcome_tokens_lift_the_upload_quota_while_they_last(site: Site, make: Make, db: Database) -> None:
    account = await make.account()
    async with db.tx() as tx:
        await tx.connection.execute("select wallet.spend(%s, 'image_slot', 5, 'before')", (account.id,))
    async with site.api(account) as api, site.browser(account) as browser:
        assert (await send(api, "product_image")).status_code == 201
        assert "uploads left" not in (await browser.get("/studio")).text
        assert (await send(api, "album_image")).status_code == 402
        async with db.tx() as tx:
            await tx.connection.execute("select wallet.spend(%s, 'token', 20, 'gone')", (account.id,))
        assert (await send(api, "product_image")).status_code == 402
        form = {"category": "product_image"}
        files = {"file": ("cat.jpg", path_of("cat").read_bytes(), "image/jpeg")}
        page = await browser.post("/library", data=form, files=files)
        assert page.status_code == 422 and "5 of 5 uploads used" in page.text and "Larger plan" in page.text


async def test_a_conversion_pays_for_a_picture_and_comes_back(site: Site, make: Make, db: Database) -> None:
    account = await make.account(tokens=1)
    async with site.api(account) as api:
        product = await upload(api)
        first = (await api.post("/generations", json=wish(product, asset="conversion"))).json()
        assert (first["asset"], first["cost"]) == ("conversion", 1)
        assert (await quota(db, account)).held == 1 and (await quota(db, account)).used == 1
        await api.post(f"/generations/{first['id']}/cancellation")
        assert (await quota(db, account)).used == 0
        for _ in range(2):
            assert (await api.post("/generations", json=wish(product, asset="conversion"))).status_code == 201
        refused = await api.post("/generations", json=wish(product, asset="conversion"))
        body = refused.json()
        assert (refused.status_code, body["type"], body["bucket"]) == (402, "urn:vetrina:quota-used-up", "conversion")
        assert (body["remaining"], body["limit"], body["plan"]) == (0, 2, "Free") and body["resets_at"]
        assert (await api.post("/generations", json=wish(product))).status_code == 201, "a token pays as before"
        short = await api.post("/generations", json=wish(product))
        assert short.json()["type"] == "urn:vetrina:insufficient-credits"
    assert (await ledger(db, account))[:3] == [("grant", 2, 2), ("hold", -1, 1), ("release", 1, 2)]
    await make.books()


async def test_an_upgrade_over_http(site: Site, make: Make, db: Database) -> None:
    account = await make.account()
    async with site.api(account) as api:
        ids = {item["name"]: item["id"] for item in (await api.get("/plans")).json()["items"]}
        buys: dict[str, Any] = {"plan_id": ids["basic"], "gateway": "sandbox"}
        opened = (await api.post("/payments", json=buys)).json()
        assert (opened["kind"], opened["amount"], opened["currency"]) == ("plan", 50_000, "IRR")
        assert opened["description"] == "Basic plan, one month"
        assert (await member(db, account)).plan == "free"
        for _ in range(3):
            await press(site.client, opened, "paid")
        assert (await member(db, account)).plan == "basic"
        assert (await quota(db, account)).remaining == 22
        dollars = (await api.post("/payments", json={**buys, "plan_id": ids["advanced"], "currency": "USD"})).json()
        assert dollars["currency"] == "USD" and 1499 - 499 <= dollars["amount"] <= 1499 - 490
        for body, status in (
            ({**buys, "plan_id": ids["vendor_pro"]}, 422),
            ({**buys, "plan_id": ids["free"]}, 422),
            ({**buys, "plan_id": ids["basic"], "currency": "EUR"}, 422),
            ({**buys, "pack_id": ids["basic"]}, 422),
            ({"gateway": "sandbox"}, 422),
        ):
            assert (await api.post("/payments", json=body)).status_code == status, body
        smaller = await api.post("/membership/downgrade", json={"plan_id": ids["free"]})
        assert smaller.json()["next_plan"] == "free" and smaller.json()["plan"] == "basic"
        assert (await api.post("/membership/resumption")).json()["next_plan"] is None


async def test_the_page_of_ones_plan(site: Site, make: Make, db: Database) -> None:
    account = await make.account()
    async with site.browser(account) as browser:
        page = (await browser.get("/plan")).text
        for text in ("Free plan", "0 of 2 used", "0 of 5 used", "Resets on", "Choose Basic", "50,000 IRR", "$4.99"):
            assert text in page, text
        assert "Vendor Pro" not in page
        chosen = {"plan_id": (await plan(browser, "Basic")), "gateway": "sandbox"}
        checkout = (await browser.post("/plan", data=chosen)).headers["location"]
        place = (await browser.post(checkout, data={"outcome": "paid"})).headers["location"]
        assert "Payment received" in (await browser.get(place)).text
        page = (await browser.get("/plan")).text
        assert "Basic plan" in page and "Pay one more month of Basic" in page and "less the remaining value of your plan" in page
        assert (await browser.post("/plan/cancellation")).headers["location"] == "/plan"
        assert "the free plan" in (await browser.get("/plan")).text
        await browser.post("/plan/resumption")
        await pay(db, account, "advanced", "more")
        smaller = await browser.post("/plan", data=chosen)
        assert smaller.headers["location"] == "/plan" and "the plan that you chose" in (await browser.get("/plan")).text
        assert (await browser.post("/plan", data={"plan_id": "x", "gateway": "sandbox"})).status_code == 422


async def plan(browser: httpx2.AsyncClient, title: str) -> str:
    """The id of a plan."""
    items = (await browser.get("/api/v1/plans")).json()["items"]
    return next(item["id"] for item in items if item["display_name"] == title)
