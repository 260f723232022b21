"""A shadow of the mirror tells every difference, and puts it right."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.fakes.stripe_lists import KEY, StripeListsFake
from tests.stripe_mirror.helpers import row, take, value
from vetrina.core.services import Services
from vetrina.core.settings import Settings
from vetrina.stripe_mirror.backfill import actions as filling
from vetrina.stripe_mirror.consistency import rebuild
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.ingest import tie_resolution as settling

NOW = int(time.time())
KINDS = ["customers", "subscriptions"]


@pytest.fixture
def settings(settings: Settings, lists: StripeListsFake) -> Settings:
    """Settings with a key for the fake."""
    return replace(settings, stripe_api_key=KEY, stripe_api_base=lists.url)


def told(found: list[rebuild.Compared]) -> dict[str, str]:
    """What is said of each object."""
    return {each.id: each.what for kind in found for each in kind.differences}


async def fill(services: Services, lists: StripeListsFake) -> None:
    """Forty customers with subscriptions, from lists and webhooks; a long one, a deleted one, one with odd characters."""
    lists.put("customers", *({**sample.customer(n, NOW - 9000 - n), "name": "a\0b" if n == 7 else f"M {n}"} for n in range(40)))
    lists.put("subscriptions", *(sample.subscription(n, NOW - 8000 - n, items=13 if n == 5 else 1) for n in range(40)))
    await filling.backfill(services, KINDS)
    at = int(time.time())
    changed = {**sample.customer(3, NOW - 9003), "name": "told"}
    gone = sample.customer(50, NOW - 9050)
    lists.put("customers", changed)
    lists.remove("customers", gone["id"])
    await take(services.db, [
        sample.event("customer.updated", changed, at + 1, 1),
        sample.event("customer.created", gone, NOW - 9050, 2),
        sample.event("customer.deleted", gone, NOW - 9000, 3),
    ])  # fmt: skip


def spoil(owner: str, *statements: str) -> None:
    """Break the mirror behind its back."""
    with psycopg.connect(owner, autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


async def test_what_is_right_has_no_differences(services: Services, lists: StripeListsFake) -> None:
    await fill(services, lists)
    found = await rebuild.compare(services, KINDS)
    assert [(each.kind, each.listed, each.differences) for each in found] == [("customers", 40, []), ("subscriptions", 40, [])]
    assert await value(services.db, "select count(*) from stripe_mirror.staged") == 0
    assert await value(services.db, "select count(*) from stripe_mirror.ranges where kind like 'shadow%%'") == 0
    assert told(await rebuild.compare_with_inbox(services, KINDS)) == {}


async def test_every_difference_is_told_and_put_right(services: Services, lists: StripeListsFake, owner: str) -> None:
    await fill(services, lists)
    one, two, three, four, five = (f"cus_sample{n:010d}" for n in (1, 2, 4, 6, 9))
    spoil(
        owner,
        "update stripe_mirror.customers set event_at = event_at - interval '1 minute'",  # nothing is of this very second
        f"delete from stripe_mirror.customers where id = '{one}'",
        f"update stripe_mirror.customers set data = data || '{{\"name\": \"forged\"}}' where id = '{two}'",
        f"update stripe_mirror.customers set deleted_at = now() - interval '2 hours' where id = '{three}'",
        "insert into stripe_mirror.customers (id, data, event_at, event_rank, event_id)"
        " values ('cus_invented', '{\"id\": \"cus_invented\", \"created\": 1700000000}', '2024-01-01', 5, 'evt_x')",
        f"update stripe_mirror.subscriptions set data = jsonb_set(data, '{{status}}', '\"paused\"') where customer_id = '{five}'",
    )
    lists.remove("customers", four, "cus_invented")
    found = await rebuild.compare(services, KINDS)
    assert told(found) == {one: "missing here", two: "other data", three: "deleted here alone", four: "not at Stripe",
                           "cus_invented": "not at Stripe", "sub_sample0000000009": "other data"}  # fmt: skip
    forged = next(each for each in found[0].differences if each.id == two)
    assert (forged.expected, forged.found) == ({"name": "M 2"}, {"name": "forged"})
    assert await row(services.db, "customers", two, "name") == "forged", "a diff changes nothing"

    await rebuild.compare(services, KINDS, repair=True)
    await settling.settle(services)
    assert told(await rebuild.compare(services, KINDS)) == {}
    assert await row(services.db, "customers", two, "name, deleted_at") == ("M 2", None)
    assert await row(services.db, "customers", three, "deleted_at") is None
    assert await row(services.db, "customers", four, "deleted_at is not null") is True


async def test_an_event_that_was_lost_shows(services: Services, lists: StripeListsFake) -> None:
    await fill(services, lists)
    lists.put("subscriptions", sample.subscription(8, NOW - 8008, status="past_due"))
    assert told(await rebuild.compare(services, KINDS)) == {"sub_sample0000000008": "other data"}


async def test_the_inbox_alone_shows_what_was_forged(services: Services, owner: str) -> None:
    made: list[dict[str, Any]] = [sample.event("customer.created", sample.customer(n, NOW), NOW, n) for n in range(5)]
    await take(services.db, made)
    assert told(await rebuild.compare_with_inbox(services, ["customers"])) == {}
    name = json.dumps({"name": "forged"})
    spoil(owner, f"update stripe_mirror.customers set data = data || '{name}' where id = 'cus_sample0000000002'",
          "delete from stripe_mirror.customers where id = 'cus_sample0000000004'")  # fmt: skip
    assert told(await rebuild.compare_with_inbox(services, ["customers"])) == {
        "cus_sample0000000002": "other data", "cus_sample0000000004": "missing here"}  # fmt: skip
