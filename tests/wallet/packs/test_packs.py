"""Packs: edited by their operator on a page, by the API and by command; a checkout keeps the price that it began with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.roles.test_roles import appoint
from tests.factories import Make
from tests.payments.helpers import one, press, start
from tests.server import Site
from vetrina.accounts.roles.actions import Role
from vetrina.cli import main
from vetrina.core import audit
from vetrina.core.database.connection import Database
from vetrina.wallet import labels

NEW: dict[str, Any] = {
    "name": "tokens_500_eur", "title": "Loft", "asset": "token", "quantity": 500, "price": 2999, "currency": "EUR", "position": 5,
}  # fmt: skip


async def test_the_operator_edits_packs_by_api(site: Site, make: Make) -> None:
    operator = await appoint(make, Role.ADMIN)
    async with site.api(operator) as api:
        response = await api.post("/operator/packs", json=NEW)
        assert response.status_code == 201 and response.json()["is_active"] is True
        assert (await api.post("/operator/packs", json=NEW)).json()["type"] == "urn:vetrina:pack-name-taken"
        wrong = {"quantity": 0, "price": 0, "currency": "eur", "asset": "gold", "name": "A b", "title": ""}
        for field, value in wrong.items():
            assert (await api.post("/operator/packs", json={**NEW, "name": "other", field: value})).status_code == 422, field
        toman = await api.post("/operator/packs", json={**NEW, "name": "toman", "currency": "IRT"})
        assert toman.status_code == 422 and "Rials are IRR" in toman.json()["detail"]
        for code in ("XYZ", "BGN", "XAU"):
            unknown = await api.post("/operator/packs", json={**NEW, "name": "unknown", "currency": code})
            assert unknown.status_code == 422 and code in unknown.json()["detail"]
        changed = await api.patch("/operator/packs/tokens_500_eur", json={"price": 2499, "is_active": False})
        assert (changed.json()["price"], changed.json()["is_active"], changed.json()["quantity"]) == (2499, False, 500)
        assert (await api.patch("/operator/packs/nothing", json={"price": 1})).status_code == 404
        assert (await api.patch("/operator/packs/tokens_500_eur", json={})).status_code == 422
        assert (await api.patch("/operator/packs/tokens_500_eur", json={"currency": "USD"})).status_code == 422
        assert "tokens_500_eur" in {item["name"] for item in (await api.get("/operator/packs")).json()["items"]}
        assert "tokens_500_eur" not in {item["name"] for item in (await api.get("/packs")).json()["items"]}


async def test_changes_of_the_price_list_are_audited(site: Site, make: Make, db: Database) -> None:
    operator = await appoint(make, Role.ADMIN)
    async with site.api(operator) as api:
        await api.post("/operator/packs", json=NEW)
        await api.patch("/operator/packs/tokens_500_eur", json={"price": 2499})
        await api.patch("/operator/packs/tokens_500_eur", json={"price": 2499})  # nothing changes: no row
    async with db.tx() as tx:
        await tx.connection.execute("update wallet.plans set monthly_tokens = monthly_tokens + 1 where name = 'basic'")
        basic = "(select id from wallet.plans where name = 'basic')"
        await tx.connection.execute(f"delete from wallet.plan_prices where plan_id = {basic}")
        await tx.connection.execute("insert into core.settings (key, value, description) values ('x.y', '1', 'A test''s.')")
    async with db.read() as tx:
        rows = await tx.fetch_all(audit.LIST, account=audit.SITE_CHAIN, action=None, before=None, limit=20)
    assert [(row.action, row.actor_id) for row in rows if row.resource == "pack"] == [
        ("pack_changed", operator.id),
        ("pack_added", operator.id),
    ]
    changed = next(row for row in rows if row.action == "pack_changed")
    assert changed.metadata == {"name": "tokens_500_eur", "changed": {"price": {"from": 2999, "to": 2499}}}
    assert labels.AUDIT_DETAILS[changed.action](changed.metadata) == "tokens_500_eur, price: 2999 → 2499"
    assert {"plan_changed", "plan_price_removed", "setting_added"} <= {row.action for row in rows}


async def test_a_pack_is_for_sale_while_a_module_takes_its_asset(site: Site, make: Make) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account(tokens=0)
    async with site.api(account) as api, site.browser(operator) as browser:
        packs = (await api.get("/packs")).json()["items"]
        assert {pack["asset"] for pack in packs} == {"token"}
        every = (await browser.get("/api/v1/operator/packs")).json()["items"]
        contacts = next(item for item in every if item["asset"] == "contact")
        refused = await api.post("/payments", json={"pack_id": contacts["id"], "gateway": "sandbox"})
        assert refused.json()["type"] == "urn:vetrina:unknown-pack"
        assert "Nothing on this site takes it yet" in (await browser.get("/operator/packs")).text
        assert "Buy contacts" not in (await api.get(f"{site.url}/wallet/buy")).text


async def test_a_checkout_keeps_its_price(site: Site, make: Make, db: Database) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account(tokens=0)
    async with site.api(operator) as other_api, site.api(account) as api:
        opened = await start(api)
        await other_api.patch("/operator/packs/tokens_50", json={"price": 99, "quantity": 5, "is_active": False})
        await press(site.client, opened, "paid")
        paid = await one(api, opened)
        assert (paid["status"], paid["amount"], paid["quantity"]) == ("completed", 499, 50)
        gone = await api.post("/payments", json={"pack_id": opened["pack_id"], "gateway": "sandbox"})
        assert gone.json()["type"] == "urn:vetrina:unknown-pack"
        await other_api.patch("/operator/packs/tokens_50", json={"is_active": True})
        again = await start(api)
        assert (again["amount"], again["quantity"]) == (99, 5)
    assert await make.balance(account) == (50, 0)


async def test_the_operators_page(site: Site, make: Make) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account()
    async with site.browser(account) as browser:
        assert (await browser.get("/operator/packs")).status_code == 403
        assert (await browser.post("/operator/packs", data=NEW)).status_code == 403
    async with site.browser(operator) as browser:
        page = (await browser.get("/operator/packs")).text
        assert "Sketchbook" in page and "50,000 IRR" in page and "1 posting" in page
        added = await browser.post("/operator/packs", data=NEW)
        assert added.status_code == 303 and "Loft is for sale now." in (await browser.get("/operator/packs")).text
        for field, value, message in (
            ("price", "much", "smallest unit"),
            ("name", "tokens_50", "already"),
            ("currency", "IRT", "Rials are IRR"),
            ("asset", "", "Choose an asset"),
        ):
            wrong = await browser.post("/operator/packs", data={**NEW, "name": "other", field: value})
            assert wrong.status_code in {409, 422} and message in wrong.text and "Loft" in wrong.text, field
        yen = {**NEW, "name": "tokens_500_jpy", "currency": "JPY", "price": "", "amount": "4,500"}
        assert (await browser.post("/operator/packs", data=yen)).status_code == 303
        page = (await browser.get("/operator/packs")).text
        assert "4,500 JPY" in page and 'value="4500"' in page and 'value="29.99"' in page
        for amount, message in (("1E+1000000", "Write a sum such as"), ("4.5", "JPY has no decimals"), ("0", "above 0")):
            wrong = await browser.post("/operator/packs", data={**yen, "name": "other", "amount": amount})
            assert wrong.status_code == 422 and message in wrong.text, amount
        await browser.post("/operator/packs/tokens_500_eur", data={"amount": "12.50"})
        assert "€12.50" in (await browser.get("/operator/packs")).text
        saved = await browser.post("/operator/packs/tokens_500_eur", data={"title": "Attic", "quantity": "600", "price": "3000"})
        assert saved.status_code == 303
        await browser.post("/operator/packs/tokens_500_eur", data={"is_active": "false"})
        page = (await browser.get("/operator/packs")).text
        assert "Attic" in page and "600 tokens · €30.00" in page and "Not for sale" in page
        assert (await browser.post("/operator/packs/nothing", data={"title": "x"})).status_code == 404
        bad = await browser.post("/operator/packs/tokens_50", data={"price": "-1"})
        assert bad.status_code == 303 and "smallest unit" in (await browser.get("/operator/packs")).text


def command_on(owner: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of this process run on the test's database, and leave the test's logs as they are."""
    monkeypatch.setenv("VETRINA_DATABASE_URL", owner)
    monkeypatch.setenv("VETRINA_DATA", str(folder))
    monkeypatch.setattr("vetrina.core.command_line.logs.configure", lambda *_: None)


def test_the_commands(owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command_on(owner, tmp_path, monkeypatch)
    assert main(["packs", "add", "tokens_9", "--title", "Nine", "--asset", "token", "--quantity", "9", "--price", "99",
                 "--currency", "USD"]) == 0  # fmt: skip
    assert capsys.readouterr().out == "tokens_9 is for sale now: Nine, 9 tokens, $0.99.\n"
    assert main(["packs", "change", "tokens_9", "--price", "149", "--no-for-sale"]) == 0
    assert capsys.readouterr().out == "tokens_9: Nine, 9 tokens, $1.49, not for sale.\n"
    assert main(["packs", "change", "tokens_9", "--amount", "2.50"]) == 0
    assert capsys.readouterr().out == "tokens_9: Nine, 9 tokens, $2.50, not for sale.\n"
    assert main(["packs", "change", "tokens_9", "--amount", "2.505"]) == 1
    assert "USD has 2 decimals at most." in capsys.readouterr().err
    dinars = ["--title", "Oman", "--asset", "token", "--quantity", "9", "--currency", "OMR"]
    assert main(["packs", "add", "tokens_9_omr", *dinars, "--amount", "12.500"]) == 0
    assert capsys.readouterr().out == "tokens_9_omr is for sale now: Oman, 9 tokens, 12.500 OMR.\n"
    assert main(["packs", "add", "tokens_9_bad", *dinars]) == 2
    assert main(["packs", "change", "tokens_8", "--price", "149"]) == 1
    assert "There is no pack tokens_8." in capsys.readouterr().err
    gold = ["--title", "x", "--asset", "gold", "--quantity", "9", "--price", "1", "--currency", "USD"]
    assert main(["packs", "add", "tokens_7", *gold]) == 2
    capsys.readouterr()
    assert main(["packs", "list"]) == 0
    assert "tokens_9" in capsys.readouterr().out
    assert main(["payments", "sweep"]) == 0
    assert capsys.readouterr().out == "0 asked about: 0 paid, 0 over, 0 still open, 0 without an answer.\n"


async def test_quota_explain(
    make: Make, owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await make.account(email="ada@example.com")
    await make.account(email="ada@example.com", kind="vendor")
    command_on(owner, tmp_path, monkeypatch)
    assert await asyncio.to_thread(main, ["quota", "explain", "Ada@example.com"]) == 0
    out = capsys.readouterr().out
    assert "ada@example.com (user): Free plan" in out.replace("Ada@", "ada@") and "(vendor): Vendor Free plan" in out
    assert "Conversions: 0 of 2 used, 2 left" in out and "the next one goes through" in out
    assert "the next one is refused: The Vendor Free plan includes no conversions" in out
    assert await asyncio.to_thread(main, ["quota", "explain", "nobody@example.com"]) == 1
    assert "There is no account" in capsys.readouterr().err
