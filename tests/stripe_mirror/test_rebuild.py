"""The comparison with a shadow reports every difference and repairs it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.fakes.stripe_lists import KEY, StripeListsFake
from tests.stripe_mirror.helpers import ingest, row, value
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.stripe_mirror.backfill import actions as backfill_actions
from vetrina.stripe_mirror.consistency import rebuild
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.ingest import tie_resolution

NOW = int(time.time())
KINDS = ["customers", "subscriptions"]


@pytest.fixture
def settings(settings: Settings, lists: StripeListsFake) -> Settings:
    """Add the fake's API key to the settings."""
    return replace(settings, stripe_api_key=KEY, stripe_api_base=lists.url)


def told(result: list[rebuild.ComparisonResult]) -> dict[str, str]:
    """Return the differences by object."""
    return {item.id: item.what for kind in result for item in kind.differences}


async def fill(services: Services, lists: StripeListsFake) -> None:
    """Add forty customers with subscriptions, from lists and webhooks; a long one, a deleted one, one with odd characters."""
    lists.put("customers", *({**sample.customer(n, NOW - 9000 - n), "name": "a\0b" if n == 7 else f"M {n}"} for n in range(40)))
    lists.put("subscriptions", *(sample.subscription(n, NOW - 8000 - n, items=13 if n == 5 else 1) for n in range(40)))
    await backfill_actions.backfill(services, KINDS)
    at = int(time.time())
    changed = {**sample.customer(3, NOW - 9003), "name": "told"}
    deleted = sample.customer(50, NOW - 9050)
    lists.put("customers", changed)
    lists.remove("customers", deleted["id"])
    await ingest(services.db, [
        sample.event("customer.updated", changed, at + 1, 1),
        sample.event("customer.created", deleted, NOW - 9050, 2),
        sample.event("customer.deleted", deleted, NOW - 9000, 3),
    ])  # fmt: skip


def spoil(owner: str, *statements: str) -> None:
    """Corrupt the mirror."""
    with psycopg.connect(owner, autocommit=True) as connection:
        for item in statements:
            connection.execute(item.encode())


async def test_correct_mirror_has_no_differences(services: Services, lists: StripeListsFake) -> None:
    await fill(services, lists)
    result = await rebuild.compare(services, KINDS)
    assert [(item.kind, item.listed, item.differences) for item in result] == [("customers", 40, []), ("subscriptions", 40, [])]
    assert await value(services.db, "select count(*) from stripe_mirror.staged") == 0
    assert await value(services.db, "select count(*) from stripe_mirror.ranges where kind like 'shadow%%'") == 0
    assert told(await rebuild.compare_with_inbox(services, KINDS)) == {}


async def test_every_difference_is_reported_and_repaired(services: Services, lists: StripeListsFake, owner: str) -> None:
    await fill(services, lists)
    one, two, three, four, five = (f"cus_sample{n:010d}" for n in (1, 2, 4, 6, 9))
    spoil(
        owner,
        "update stripe_mirror.customers set event_at = event_at - interval '1 minute'",  # not of the current second
        f"delete from stripe_mirror.customers where id = '{one}'",
        f"update stripe_mirror.customers set data = data || '{{\"name\": \"forged\"}}' where id = '{two}'",
        f"update stripe_mirror.customers set deleted_at = now() - interval '2 hours' where id = '{three}'",
        "insert into stripe_mirror.customers (id, data, event_at, event_rank, event_id)"
        " values ('cus_invented', '{\"id\": \"cus_invented\", \"created\": 1700000000}', '2024-01-01', 5, 'evt_x')",
        f"update stripe_mirror.subscriptions set data = jsonb_set(data, '{{status}}', '\"paused\"') where customer_id = '{five}'",
    )
    lists.remove("customers", four, "cus_invented")
    result = await rebuild.compare(services, KINDS)
    assert told(result) == {one: "missing here", two: "other data", three: "deleted here only", four: "not at Stripe",
                           "cus_invented": "not at Stripe", "sub_sample0000000009": "other data"}  # fmt: skip
    forged = next(item for item in result[0].differences if item.id == two)
    assert (forged.expected, forged.found) == ({"name": "M 2"}, {"name": "forged"})
    assert await row(services.db, "customers", two, "name") == "forged", "a diff changes nothing"

    await rebuild.compare(services, KINDS, repair=True)
    await tie_resolution.resolve_ties(services)
    assert told(await rebuild.compare(services, KINDS)) == {}
    assert await row(services.db, "customers", two, "name, deleted_at") == ("M 2", None)
    assert await row(services.db, "customers", three, "deleted_at") is None
    assert await row(services.db, "customers", four, "deleted_at is not null") is True


async def test_lost_event_is_a_difference(services: Services, lists: StripeListsFake) -> None:
    await fill(services, lists)
    lists.put("subscriptions", sample.subscription(8, NOW - 8008, status="past_due"))
    assert told(await rebuild.compare(services, KINDS)) == {"sub_sample0000000008": "other data"}


async def test_inbox_comparison_finds_forged_rows(services: Services, owner: str) -> None:
    objects: list[dict[str, Any]] = [sample.event("customer.created", sample.customer(n, NOW), NOW, n) for n in range(5)]
    await ingest(services.db, objects)
    assert told(await rebuild.compare_with_inbox(services, ["customers"])) == {}
    name = json.dumps({"name": "forged"})
    spoil(owner, f"update stripe_mirror.customers set data = data || '{name}' where id = 'cus_sample0000000002'",
          "delete from stripe_mirror.customers where id = 'cus_sample0000000004'")  # fmt: skip
    assert told(await rebuild.compare_with_inbox(services, ["customers"])) == {
        "cus_sample0000000002": "other data", "cus_sample0000000004": "missing here"}  # fmt: skip
