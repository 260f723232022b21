"""The wallet over the API: balances, the ledger in pages, and that a page of any filter is read from the index."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx2
import psycopg
from psycopg import sql

from tests.factories import Account, Make
from tests.rules.test_statements import converted
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.core.database.paging import FIRST, cursor_of
from vetrina.core.services import Services
from vetrina.core.settings.environment import read
from vetrina.modules import of
from vetrina.wallet import queries
from vetrina.wallet.ledger import actions
from vetrina.wallet.model import Asset, Kind


async def spend(
    services: Services, account: Account, key: str, *, asset: Asset = Asset.TOKEN, returned: str | None = None
) -> None:
    """Hold one and capture it, or release it for the reason `returned`."""
    async with services.db.tx() as tx:
        hold = await actions.hold(tx, account.id, asset, 1, key=key)
        if returned is None:
            await actions.capture(tx, account.id, hold)
        else:
            await actions.release(tx, account.id, hold, reason=returned)


async def everything(api: httpx2.AsyncClient, query: str = "", limit: int = 7) -> list[dict[str, Any]]:
    """Every entry, page by page."""
    result: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(100):
        page = (await api.get(f"/wallet/entries?limit={limit}{query}{cursor}")).json()
        assert len(page["items"]) <= limit
        result += page["items"]
        if page["next_cursor"] is None:
            return result
        cursor = f"&cursor={page['next_cursor']}"
    raise AssertionError("pages without end")


async def test_balances_and_next_expiry(site: Site, make: Make, owner: str) -> None:
    account = await make.account(tokens=30)
    async with site.services.db.tx() as tx:
        await actions.hold(tx, account.id, Asset.TOKEN, 4, key="open")
    async with site.api(account) as api:
        result = {balance["asset"]: balance for balance in (await api.get("/wallet")).json()["balances"]}
    assert list(result) == ["token", "conversion", "image_slot"]
    token = result["token"]
    assert (token["balance"], token["held"], token["lifetime_granted"], token["lifetime_used"]) == (26, 4, 30, 0)
    assert token["expiring_at"] is None and result["conversion"]["expiring_quantity"] == 2


async def test_the_ledger_runs_backwards_with_its_running_balance(site: Site, make: Make) -> None:
    account = await make.account(tokens=10)
    for n in range(6):
        await spend(site.services, account, f"work:{n}", returned="it failed" if n % 3 == 2 else None)
    async with site.api(account) as api:
        rows = await everything(api)
        positions = [row["position"] for row in rows]
        assert positions == sorted(positions, reverse=True) and len(set(positions)) == len(rows) == 11
        tokens = [row for row in rows if row["asset"] == "token"]
        assert [row["quantity"] for row in tokens] == [1, -1, -1, -1, 1, -1, -1, -1, 10]
        running = 0
        for row in reversed(tokens):
            running += row["quantity"]
            assert row["balance_after"] == running
        assert tokens[0]["kind"] == "release" and tokens[0]["reason"] == "it failed" and tokens[0]["subject"] == "work:5"
        assert tokens[-1] == {**tokens[-1], "kind": "grant", "source": "gift", "subject": "test", "hold_id": None, "style": None}
        for query, expected in (
            ("&kind=release", 2),
            ("&asset=token&kind=hold", 6),
            ("&asset=conversion", 1),
            ("&kind=grant", 3),
            ("&asset=posting", 0),
        ):
            assert len(await everything(api, query, limit=2)) == expected, query


async def test_pages_stay_whole_while_entries_are_added(site: Site, make: Make) -> None:
    account = await make.account(tokens=50)
    for n in range(10):
        await spend(site.services, account, f"before:{n}")
    async with site.api(account) as api:
        first = (await api.get("/wallet/entries?limit=4&asset=token")).json()
        for n in range(5):
            await spend(site.services, account, f"meanwhile:{n}")
        seen = [row["subject"] for row in first["items"]]
        cursor = first["next_cursor"]
        while cursor:
            page = (await api.get(f"/wallet/entries?limit=4&asset=token&cursor={cursor}")).json()
            seen += [row["subject"] for row in page["items"]]
            cursor = page["next_cursor"]
    assert seen == [f"before:{n}" for n in reversed(range(10))] + ["test"]


async def test_a_strangers_cursor_opens_nothing(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=10), await make.account(tokens=10)
    for n in range(3):
        await spend(site.services, account, f"mine:{n}")
    async with site.api(account) as own_api, site.api(stranger) as other_api:
        cursor = (await own_api.get("/wallet/entries?limit=1")).json()["next_cursor"]
        page = (await other_api.get(f"/wallet/entries?limit=50&cursor={cursor}")).json()
        assert not any("mine" in str(row) for row in page["items"])


async def test_packs_and_plans_are_public(site: Site) -> None:
    packs = (await site.client.get("/api/v1/packs")).json()["items"]
    assert {"tokens_50", "tokens_200", "tokens_1000"} <= {pack["name"] for pack in packs}
    assert all(pack["quantity"] > 0 and pack["price"] > 0 and pack["currency"].isupper() for pack in packs)
    plans = (await site.client.get("/api/v1/plans")).json()["items"]
    assert {"free", "basic", "advanced", "vendor_free", "vendor_pro"} == {plan["name"] for plan in plans}


async def test_a_page_of_any_filter_reads_about_a_page(db: Database, make: Make, owner: str) -> None:
    """100,000 entries, a release among each thousand: from the index, whatever is asked for and wherever it begins."""
    account = await make.account(tokens=1)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            """
            insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, idempotency_key)
            select g.account_id, 'token', case when n %% 1000 = 0 then 'release' when n %% 2 = 0 then 'grant' else 'hold' end,
                   case when n %% 2 = 0 then 1 else -1 end, 1, g.id, 'many:' || n
              from wallet.grants g cross join generate_series(1, 100000) n
             where g.account_id = %s and g.asset = 'token'
            """,
            (account.id,),
        )
        connection.execute("analyze wallet.entries")
        every = {"assets": [asset.value for asset in Asset], "kinds": [kind.value for kind in Kind]}
        middle = connection.execute("select id from wallet.entries where idempotency_key = 'many:50000'").fetchone()
        assert middle is not None
        for requested in ({}, {"kinds": ["release"]}, {"assets": ["token"]}, {"assets": ["posting"]}, {"before": middle[0]}):
            values = {"account": account.id, "before": FIRST, "limit": 51, **every, **requested}
            names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", queries.entries(of(read({})).ledger_subjects).sql)))
            connection.execute("set plan_cache_mode = force_generic_plan")
            connection.execute(f"prepare page as {converted(queries.entries(of(read({})).ledger_subjects).sql)}")  # type: ignore[arg-type]
            literals = ", ".join(sql.Literal(values[name]).as_string(connection) for name in names)
            plan = connection.execute(f"explain (analyze, buffers, format json) execute page ({literals})").fetchone()  # type: ignore
            connection.execute("deallocate page")
            assert plan is not None
            scans = list(nodes(plan[0][0]["Plan"]))
            entries = [scan for scan in scans if scan.get("Relation Name") == "entries"]
            assert entries and {entry["Node Type"] for entry in entries} <= {"Index Scan", "Index Only Scan"}, requested
            assert sum(entry["Actual Rows"] * entry["Actual Loops"] for entry in entries) < 51 * 4 + 10, requested
            assert not any(entry.get("Rows Removed by Filter") for entry in entries), requested
    started = time.perf_counter()
    async with db.read() as tx:
        for _ in range(20):
            await actions.entries(tx, account.id, of(read({})).ledger_subjects, cursor_of(middle[0]), 50, asset=None, kind=None)
    assert (time.perf_counter() - started) / 20 < 0.05


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """A plan's nodes."""
    return [plan, *(node for item in plan.get("Plans", []) for node in nodes(item))]
