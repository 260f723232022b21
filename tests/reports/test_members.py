"""Members by metadata: matching, index use, paging, CSV export, saved searches."""

from __future__ import annotations

import csv
import io

import psycopg
import pytest

from tests.factories import Account, Make
from tests.reports.helpers import at, canceled, event, made, operator, subscription
from tests.server import Site
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.reports.members import filters as members
from vetrina.reports.model import Filters, InvalidFilter
from vetrina.stripe_mirror.consistency import sample_data as sample

AT = at("2026-02-01")


def customer(number: int, **metadata: str) -> dict:
    """Return a customer with only this metadata."""
    return {**sample.customer(number, AT), "metadata": metadata}


def subscribed(number: int, amount: int, metadata: dict[str, str], **more: object) -> dict:
    """Return a subscription with only this metadata."""
    return {**subscription(number, "2026-02-01", amount, **more), "metadata": metadata}  # type: ignore[arg-type]


async def customers(db: Database) -> None:
    """Add four customers, a deleted one, and four subscriptions."""
    gone = customer(5, membership_type="Adult")
    yearly = {"customer": 1, "interval": "year", "currency": "usd"}
    await ingest(db, [
        made(customer(1, membership_type="Adult", branch="north"), "2026-02-01"),
        made(customer(2, membership_type="Adult", branch="south"), "2026-02-01"),
        made(customer(3, membership_type="Junior", branch="north"), "2026-02-01"),
        made(customer(4, note="=1+1"), "2026-02-01"),
        made(gone, "2026-02-01"), event("customer.deleted", gone, "2026-02-02"),
        made(subscribed(1, 900, {"subscription_type": "Premium", "source": "web"}), "2026-02-01"),
        made(subscribed(11, 12000, {"subscription_type": "Basic", "source": "desk"}, **yearly), "2026-02-01"),
        made(subscribed(2, 500, {"subscription_type": "Premium", "source": "desk"}), "2026-02-01"),
        canceled(subscribed(3, 500, {"subscription_type": "Premium"}), "2026-02-05"),
    ])  # fmt: skip


def numbers(items: list[dict]) -> list[int]:
    """Return the customers' numbers."""
    return [int(item["id"][-10:]) for item in items]


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("", [1, 2, 3, 4]),
        ("metadata.membership_type=Adult", [1, 2]),
        ("metadata.membership_type=Adult&metadata.branch=south", [2]),
        ("metadata.membership_type=adult", []),
        ("metadata.membership_type=", [1, 2, 3, 4]),
        ("metadata.subscription_type=Premium", []),
        ("subscription.metadata.subscription_type=Premium", [1, 2, 3]),
        ("subscription.metadata.subscription_type=Premium&subscription.metadata.source=desk", [2]),
        ("subscription.metadata.subscription_type=Premium&metadata.branch=north", [1, 3]),
        ("q=member3@example.com", [3]),
        ("q=cus_sample0000000004", [4]),
        ("q=cus_sample0000000005", []),
        ("metadata.note=%3D1%2B1", [4]),
        ("metadata.no'such%22key=%7B%7D", []),
    ],
)
async def test_customers_by_metadata_and_subscriptions(site: Site, make: Make, query: str, result: list[int]) -> None:
    await customers(site.services.db)
    async with site.api(await operator(make)) as api:
        answer = await api.get(f"/members?{query}")
    assert answer.status_code == 200, answer.text
    assert numbers(answer.json()["items"]) == result


async def test_monthly_revenue_of_members(site: Site, make: Make) -> None:
    await customers(site.services.db)
    async with site.api(await operator(make)) as api:
        one, two, three, four = (await api.get("/members")).json()["items"]
        detail = (await api.get("/members/cus_sample0000000001")).json()
        gone = (await api.get("/members/cus_sample0000000005")).json()
        nobody = await api.get("/members/cus_nobody")
    assert (one["subscriptions"], one["monthly"]) == (2, {"eur": 900, "usd": 1000})
    assert (three["subscriptions"], three["monthly"], four["subscriptions"], four["monthly"]) == (1, {}, 0, {})
    assert (two["email"], two["metadata"]) == ("member2@example.com", {"membership_type": "Adult", "branch": "south"})
    assert {item["id"][-2:] for item in detail["subscriptions"]} == {"01", "11"}
    assert detail["customer"]["deleted_at"] is None and gone["customer"]["deleted_at"] is not None
    assert nobody.status_code == 404


async def test_subscriptions_by_their_own_metadata(site: Site, make: Make) -> None:
    await customers(site.services.db)
    async with site.api(await operator(make)) as api:
        premium = (await api.get("/members/subscriptions?metadata.subscription_type=Premium")).json()["items"]
        of_one = (await api.get("/members/subscriptions?q=cus_sample0000000001")).json()["items"]
        mixed = await api.get("/members/subscriptions?subscription.metadata.source=web")
        twice = await api.get("/members?metadata.a=1&metadata.a=2")
    assert [(item["id"][-1], item["status"], item["monthly"]) for item in premium] == [
        ("1", "active", 900), ("2", "active", 500), ("3", "canceled", 0)]  # fmt: skip
    assert sorted(item["monthly"] for item in of_one) == [900, 1000]
    assert mixed.status_code == twice.status_code == 422


async def test_members_are_paged(site: Site, make: Make) -> None:
    await ingest(site.services.db, [made(customer(n, even=str(n % 2 == 0)), "2026-02-01") for n in range(25)])
    seen: list[int] = []
    cursor = ""
    async with site.api(await operator(make)) as api:
        while cursor is not None:
            page = (await api.get(f"/members?metadata.even=True&limit=5&cursor={cursor}")).json()
            seen += numbers(page["items"])
            cursor = page["next_cursor"]
    assert seen == list(range(0, 25, 2))


async def test_search_uses_the_metadata_index(db: Database, owner: str) -> None:
    await ingest(db, [made(sample.customer(n, AT), "2026-02-01") for n in range(1000)])
    await ingest(db, [made(subscription(n, "2026-02-01", 900), "2026-02-01") for n in range(500)])
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("analyze stripe_mirror.customers, stripe_mirror.subscriptions")
    async with db.tx() as tx:
        rare = await members.explain(tx, "customers", Filters(metadata={"member_number": "77"}))
        common = await members.explain(tx, "customers", Filters(metadata={"membership_type": "Adult"}), limit=5)
    assert any("Bitmap Index Scan on customers_by_metadata" in line for line in rare), rare
    assert any("Execution Time" in line for line in rare)
    # Every fifth customer matches: walking the ids reaches them sooner than fetching and sorting all matches.
    assert not any("customers_by_metadata" in line for line in common), common


async def test_csv_export(site: Site, make: Make) -> None:
    await customers(site.services.db)
    async with site.browser(await operator(make)) as browser:
        await browser.get("/members")  # counts the metadata keys
        answer = await browser.get("/members.csv?metadata.branch=north")
        everybody = list(csv.DictReader(io.StringIO((await browser.get("/members.csv")).text)))
        subscriptions = list(csv.DictReader(io.StringIO((await browser.get("/members.csv?kind=subscriptions")).text)))
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [(row["id"][-1], row["metadata.membership_type"], row["monthly"]) for row in rows] == [
        ("1", "Adult", "900 eur 1000 usd"), ("3", "Junior", "")]  # fmt: skip
    assert everybody[3]["metadata.note"] == "'=1+1"
    assert [row["metadata.source"] for row in subscriptions] == ["web", "desk", "", "desk"]


async def test_saved_searches(site: Site, make: Make) -> None:
    admin, other = await operator(make), await operator(make)
    search = {"name": " North ", "filters": {"metadata": {"branch": "north"}, "subscription": {"source": "web"}}}
    async with site.api(admin) as api, site.api(other) as other_api:
        stored = (await api.post("/members/searches", json=search)).json()
        again = (await api.post("/members/searches", json={**search, "name": "North", "filters": {"q": "x"}})).json()
        assert (stored["name"], again["id"], again["filters"]["q"]) == ("North", stored["id"], "x")
        assert [item["name"] for item in (await api.get("/members/searches")).json()["items"]] == ["North"]
        assert (await other_api.get("/members/searches")).json()["items"] == []
        assert (await other_api.delete(f"/members/searches/{stored['id']}")).status_code == 404
        for bad in ({**search, "name": ""}, {**search, "name": "x" * 81}, {**search, "kind": "subscriptions"}, {"name": "x"}):
            assert (await api.post("/members/searches", json=bad)).status_code == 422
        assert (await api.delete(f"/members/searches/{stored['id']}")).status_code == 204
        assert (await api.get("/members/searches")).json()["items"] == []


async def test_metadata_keys_with_counts(site: Site, make: Make) -> None:
    await customers(site.services.db)
    async with site.api(await operator(make)) as api:
        keys = (await api.get("/members/keys?kind=customers")).json()["items"]
        assert [(key["key"], key["holders"], key["distinct_values"]) for key in keys] == [
            ("branch", 3, 2), ("membership_type", 3, 2), ("note", 1, 1)]  # fmt: skip
        by = {key["key"]: key for key in keys}
        assert by["membership_type"]["commonest"] == [{"value": "Adult", "count": 2}, {"value": "Junior", "count": 1}]
        await ingest(site.services.db, [made(customer(9, membership_type="Adult"), "2026-02-03")])
        again = {item["key"]: item for item in (await api.get("/members/keys")).json()["items"]}
    assert again["membership_type"]["commonest"][0] == {"value": "Adult", "count": 3}
    assert again["subscription_type"]["commonest"] == [{"value": "Premium", "count": 3}, {"value": "Basic", "count": 1}]


def test_invalid_filters_are_refused() -> None:
    for pairs in ([("metadata.", "x")], [("metadata." + "k" * 201, "x")], [("metadata.k", "v" * 501)],
                  [(f"metadata.k{n}", "v") for n in range(21)]):  # fmt: skip
        with pytest.raises(InvalidFilter):
            members.parse_filters(pairs, "customers")
    given = [("limit", "5"), ("q", " a@b "), ("metadata.k", "v"), ("subscription.metadata.k", "w")]
    filters = members.parse_filters(given, "customers")
    assert members.parse_filters(members.to_query(filters), "customers") == filters
    assert (filters.q, filters.metadata, filters.subscription) == ("a@b", {"k": "v"}, {"k": "w"})


async def test_members_and_reports_are_for_operators_only(site: Site, make: Make) -> None:
    account: Account = await make.account()
    async with site.api(account) as api, site.browser(account) as browser:
        for path in ("/members", "/members/subscriptions", "/reports", "/reports/mrr", "/members/keys"):
            assert (await site.client.get(f"/api/v1{path}")).status_code == 401
            assert (await api.get(path)).status_code == 404
        for path in ("/members", "/members.csv", "/reports", "/reports/mrr", "/reports/mrr/figures.csv", "/reports/connect"):
            assert (await site.client.get(path)).status_code == 303
            assert (await browser.get(path)).status_code == 403
