"""Credits that operators give and take: page, API, command, ledger, audit log, notice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.accounts.auth_helpers import letters
from tests.accounts.roles.test_roles import appoint
from tests.factories import Account, Make
from tests.server import Site
from tests.wallet.helpers import give, hold, rows
from tests.wallet.packs.test_packs import command_on
from vetrina.accounts.privacy import erasures
from vetrina.accounts.roles.actions import Role
from vetrina.cli import main
from vetrina.core import audit
from vetrina.core.audit import SYSTEM
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.payments.settlement import verify as payment_books
from vetrina.wallet.adjustments import actions
from vetrina.wallet.adjustments.model import AdjustmentTooLarge, NewAdjustment
from vetrina.wallet.ledger import actions as ledger


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return the settings of a site in development, whose letters are in its outbox."""
    return replace(settings, development=True)


async def entries(db: Database, account: Account) -> list[Any]:
    """Return kind, quantity and running balance of the account's token entries, oldest first."""
    return await rows(
        db,
        "select kind, quantity, balance_after from wallet.entries where account_id = %s and asset = 'token' order by position",
        account.id,
    )


async def faults(db: Database) -> list[Any]:
    """Return what `vetrina verify` finds in the ledger."""
    async with db.read() as tx:
        return [*await ledger.faults(tx), *await payment_books.faults(tx)]


async def adjust(db: Database, account: Account, quantity: int, reason: str = "A reason") -> None:
    """Give or take tokens, as the command line does."""
    async with db.tx() as tx:
        await actions.adjust(tx, None, account.id, NewAdjustment(quantity=quantity, reason=reason))


async def test_given_and_taken_by_api(site: Site, make: Make, db: Database) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account(tokens=10)
    path = f"/operator/accounts/{account.id}/credits"
    async with site.api(operator) as api:
        body = {"quantity": 5, "reason": " For the trouble ", "id": str(new_id())}
        first = await api.post(path, json=body)
        again = await api.post(path, json=body)
        assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
        assert first.json() | {"created_at": ""} == {
            "id": body["id"], "asset": "token", "quantity": 5, "reason": "For the trouble", "author_id": str(operator.id),
            "created_at": "",
        }  # fmt: skip
        reused = await api.post(path, json={**body, "quantity": 6})
        assert (reused.status_code, reused.json()["type"]) == (409, "urn:vetrina:adjustment-id-reused")
        assert (await api.post(path, json={"quantity": -12, "reason": "By mistake"})).status_code == 201
        too_many = await api.post(path, json={"quantity": -4, "reason": "By mistake"})
        assert (too_many.status_code, too_many.json()["detail"]) == (409, "The account has only 3 tokens.")
        for wrong in ({"quantity": 0, "reason": "x"}, {"quantity": 1, "reason": "  "}, {"quantity": 1, "reason": "x" * 401},
                      {"quantity": 1_000_001, "reason": "x"}, {"quantity": 1, "reason": "x", "asset": "gold"}):  # fmt: skip
            assert (await api.post(path, json=wrong)).status_code == 422, wrong
        assert (await api.post(f"/operator/accounts/{new_id()}/credits", json=body)).status_code == 404
        assert [item["quantity"] for item in (await api.get(path)).json()["items"]] == [-12, 5]
    async with site.api(account) as api:
        newest = (await api.get("/wallet/entries")).json()["items"][0]
        assert (newest["kind"], newest["reason"]) == ("adjustment", "By mistake")
        assert newest["subject"].startswith("adjustment:")
    async with site.browser(account) as browser:
        page = (await browser.get("/wallet")).text
        assert "Taken by an operator: By mistake" in page and "Given by an operator: For the trouble" in page
    assert await faults(db) == []


async def test_taken_are_those_that_expire_first(db: Database, make: Make) -> None:
    account = await make.account(tokens=4)
    await give(db, account, 3, "soon", datetime.now(UTC) + timedelta(days=1))
    await adjust(db, account, 2)
    await adjust(db, account, -5)
    left = await rows(db, "select source, remaining from wallet.grants where account_id = %s and asset = 'token'", account.id)
    assert sorted(item for item in left if item[1]) == [("adjustment", 2), ("gift", 2)]
    assert [item for item in await entries(db, account) if item[0] == "adjustment"] == [
        ("adjustment", 2, 9), ("adjustment", -3, 6), ("adjustment", -2, 4),
    ]  # fmt: skip
    assert await faults(db) == []


async def test_held_and_expired_credits_are_not_taken(db: Database, make: Make) -> None:
    account = await make.account(tokens=5)
    await hold(db, account, 3)
    await give(db, account, 9, "past", datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(AdjustmentTooLarge, match="only 2 tokens"):
        await adjust(db, account, -3)
    await adjust(db, account, -2)
    assert await faults(db) == []


async def test_concurrent_takings_never_make_the_balance_negative(db: Database, make: Make) -> None:
    account = await make.account(tokens=10)
    results = await asyncio.gather(*(adjust(db, account, -3) for _ in range(16)), return_exceptions=True)
    assert sum(result is None for result in results) == 3
    assert {type(result) for result in results if result is not None} == {AdjustmentTooLarge}
    assert (await entries(db, account))[-1][2] == 1
    assert await faults(db) == []


async def test_verify_finds_an_adjustment_without_its_entries(db: Database, make: Make) -> None:
    account = await make.account(tokens=1)
    await adjust(db, account, 2)
    async with db.tx() as tx:
        await tx.connection.execute("update wallet.adjustments set quantity = 3 where account_id = %s", (account.id,))
    assert [(fault.check_name, fault.expected, fault.found) for fault in await faults(db)] == [
        ("an adjustment = its entries", 3, 2)
    ]


async def test_audited_and_notified_with_the_reason(site: Site, worker: Services, make: Make, db: Database) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account(tokens=1)
    async with site.api(operator) as api:
        await api.post(f"/operator/accounts/{account.id}/credits", json={"quantity": 7, "reason": "For the trouble"})
    async with db.read() as tx:
        log = await tx.fetch_all(audit.LIST, account=account.id, action="credits_given", before=None, limit=5)
    assert [(row.actor_id, row.metadata, row.said) for row in log] == [
        (operator.id, {"asset": "token", "quantity": 7}, {"why": "For the trouble"})
    ]
    letter = (await letters(site, account.email))[0]
    assert letter["subject"] == "You were given credits · Vetrina" and "7 tokens: For the trouble" in letter["text"]


async def test_only_a_superuser_adjusts_operators(site: Site, make: Make) -> None:
    admin, superuser = await appoint(make, Role.ADMIN), await appoint(make, Role.SUPERUSER)
    body = {"quantity": 1, "reason": "x"}
    async with site.api(admin) as api:
        refused = await api.post(f"/operator/accounts/{admin.id}/credits", json=body)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:vetrina:superuser-required")
    async with site.api(superuser) as api:
        assert (await api.post(f"/operator/accounts/{admin.id}/credits", json=body)).status_code == 201


async def test_the_page_gives_takes_and_keeps_what_was_entered(site: Site, make: Make, db: Database) -> None:
    operator, account = await appoint(make, Role.ADMIN), await make.account(tokens=3)
    path = f"/operator/accounts/{account.id}"
    form = {"direction": "give", "quantity": "40", "asset": "token", "reason": "For the trouble", "id": str(new_id())}
    async with site.browser(operator) as browser:
        assert "3 tokens" in (await browser.get(path)).text
        for _ in range(2):
            assert (await browser.post(f"{path}/credits", data=form)).status_code in {200, 303}
        assert "43 tokens" in (await browser.get(path)).text
        refused = await browser.post(f"{path}/credits", data={**form, "direction": "take", "quantity": "44", "id": str(new_id())})
        assert refused.status_code == 409
        assert "The account has only 43 tokens." in refused.text and 'value="44"' in refused.text
        assert (await browser.post(f"{path}/credits", data={**form, "quantity": "-1"})).status_code == 422
    assert await faults(db) == []


async def test_the_command_gives_and_takes(
    make: Make, owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command_on(owner, tmp_path, monkeypatch)
    account = await make.account(tokens=2)
    run = asyncio.to_thread
    assert await run(main, ["credits", "give", account.email, "8", "For the trouble"]) == 0
    assert await run(main, ["credits", "take", account.email, "4", "Too many"]) == 0
    assert await run(main, ["credits", "take", account.email, "7", "Too many"]) != 0
    assert await run(main, ["credits", "list", account.email]) == 0
    text = capsys.readouterr()
    assert "has 8 tokens more" in text.out and "has 4 tokens fewer" in text.out and "taken 4 tokens: Too many" in text.out
    assert "only 6 tokens" in text.err + text.out


async def test_erasing_the_account_deletes_reasons_and_keeps_the_ledger(services: Services, make: Make, db: Database) -> None:
    account = await make.account(tokens=1)
    await adjust(db, account, 2, "Something personal")
    async with db.tx() as tx:
        await erasures.begin(tx, account.id, SYSTEM)
    await erasures.erase(services, account.id)
    assert await rows(db, "select quantity, reason from wallet.adjustments where account_id = %s", account.id) == [(2, None)]
    async with db.tx() as tx:
        with pytest.raises(Exception, match="erased"):
            await actions.adjust(tx, None, account.id, NewAdjustment(quantity=1, reason="x"))
    assert await faults(db) == []
