"""Webhooks over HTTP: signatures, refusals that store nothing, bodies that PostgreSQL cannot store."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from stripe import StripeClient

from tests.server import Site, serving
from tests.stripe_mirror.helpers import OLDER_SECRET, SECRET, deliver, row, value, with_stripe
from vetrina.core.services import connect
from vetrina.core.settings.environment import Settings
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.events import sign
from vetrina.stripe_mirror.ingest.webhook import MAX_BODY
from vetrina.stripe_mirror.status import print_status, status

AT = 1_760_000_000


@pytest_asyncio.fixture
async def mirror(settings: Settings, database: str) -> AsyncIterator[Site]:
    """Start a site with two webhook secrets."""
    async with serving(connect(with_stripe(settings), database)) as result:
        yield result


async def rows(site: Site) -> int:
    """Count the events in the inbox."""
    return await value(site.services.db, "select count(*) from stripe_mirror.events")


async def test_event_is_stored_and_applied_once(mirror: Site) -> None:
    event = sample.event("customer.created", sample.customer(1, AT), AT, 1)
    first, again = await deliver(mirror, event), await deliver(mirror, event, secret=OLDER_SECRET)
    assert (first.status_code, first.json()) == (200, {"received": True, "new": True})
    assert (again.status_code, again.json()) == (200, {"received": True, "new": False})
    assert await rows(mirror) == 1
    assert await row(mirror.services.db, "customers", "cus_sample0000000001") == event["data"]["object"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"secret": "whsec_wrong"}, 400),
        ({"at": -301}, 400),
        ({"at": 301}, 400),
        ({"headers": {"stripe-signature": ""}}, 400),
        ({"headers": {"stripe-signature": "t=now,v1=" + "0" * 64}}, 400),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"headers": {"content-type": "application/x-www-form-urlencoded"}}, 415),
    ],
)
async def test_invalid_signatures_store_nothing(mirror: Site, change: dict[str, object], status: int) -> None:
    answer = await deliver(mirror, sample.event("customer.created", sample.customer(1, AT), AT, 1), **change)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert await rows(mirror) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"evt"', b"{}", b'{"id": "evt_1", "type": "x", "created": 1}', b"\xff\xfe",
        b'{"id": "", "type": "x", "created": 1, "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "x", "created": "yesterday", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "x", "created": 1e300, "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "x", "created": 1, "data": {"object": {}}} {}',
        b'{"id": "evt_1", "type": "x", "created": 1, "data": {"object": {"id": 5}}}',
        b'{"id": "evt_1", "type": "x", "created": 1, "data": {"object": {}}, "deep": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)  # fmt: skip
async def test_malformed_bodies_store_nothing(mirror: Site, body: bytes) -> None:
    assert (await deliver(mirror, body)).status_code == 400
    assert await rows(mirror) == 0


async def test_body_over_the_limit_is_refused(mirror: Site) -> None:
    event = sample.event("customer.created", {**sample.customer(1, AT), "filler": "x" * 2 * MAX_BODY}, AT, 1)
    assert (await deliver(mirror, event)).status_code == 413
    assert await rows(mirror) == 0


async def test_chunked_body_over_the_limit_is_refused(mirror: Site) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    headers = {"content-type": "application/json", "stripe-signature": "t=1,v1=0"}
    assert (await mirror.client.post("/webhooks/stripe", content=body(), headers=headers)).status_code == 413
    assert (await mirror.client.get("/webhooks/stripe")).status_code == 405


async def test_changed_byte_invalidates_the_signature(mirror: Site) -> None:
    raw = json.dumps(sample.event("customer.created", sample.customer(1, AT), AT, 1)).encode()
    signature = sign(raw, "whsec_new", int(time.time()))
    answer = await deliver(mirror, raw.replace(b"Member 1", b"Member 2"), headers={"stripe-signature": signature})
    assert answer.status_code == 400


async def test_missing_secret_refuses_webhooks(site: Site) -> None:
    answer = await deliver(site, sample.event("customer.created", sample.customer(1, AT), AT, 1))
    assert answer.status_code == 503
    assert "STRIPE_WEBHOOK_SECRET" in answer.json()["detail"]


async def test_unstorable_characters_are_replaced(mirror: Site) -> None:
    data: dict[str, Any] = {**sample.customer(1, AT)}
    data["metadata"] = {"note": "a\0b", "half": "\ud800", "smile": "\U0001f600", "slash": "\\u0000"}
    answer = await deliver(mirror, sample.event("customer.created", data, AT, 1))
    assert answer.status_code == 200
    stored = await row(mirror.services.db, "customers", data["id"], "metadata")
    assert stored == {"note": "a\ufffdb", "half": "\ufffd", "smile": "\U0001f600", "slash": "\\u0000"}
    original = await value(mirror.services.db, "select original from stripe_mirror.events")
    assert json.loads(original)["data"]["object"]["metadata"] == data["metadata"]
    await deliver(mirror, sample.event("customer.updated", sample.customer(1, AT), AT + 1, 2))
    assert await value(mirror.services.db, "select count(*) from stripe_mirror.events where original is not null") == 1


async def test_concurrent_events_are_committed_together(mirror: Site) -> None:
    events = [sample.event("customer.created", sample.customer(n, AT), AT, n) for n in range(60)]
    answers = await asyncio.gather(*(deliver(mirror, item) for item in events + events))
    assert {item.status_code for item in answers} == {200}
    assert sum(item.json()["new"] for item in answers) == 60
    assert await value(mirror.services.db, "select count(*) from stripe_mirror.customers") == 60


async def test_failing_event_does_not_affect_others(mirror: Site) -> None:
    good = [sample.event("customer.created", sample.customer(n, AT), AT, n) for n in range(8)]
    bad = json.dumps(sample.event("customer.created", sample.customer(99, AT), AT, 99))
    bad = bad.replace('balance": 0', 'balance": 1e999999')
    answers = await asyncio.gather(*(deliver(mirror, item) for item in (*good[:4], bad.encode(), *good[4:])))
    assert sorted(item.status_code for item in answers) == [200] * 8 + [422]
    assert await rows(mirror) == 8


THIN = {
    "id": "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0",
    "object": "v2.core.event",
    "type": "v1.billing.meter.error_report_triggered",
    "livemode": False,
    "created": "2024-09-17T06:20:52.246Z",
    "context": None,
    "related_object": {
        "id": "mtr_test_61R9IeP0SgKbYROx041PEAQhMO6CO4wK",
        "type": "billing.meter",
        "url": "/v1/billing/meters/mtr_test_61R9IeP0SgKbYROx041PEAQhMO6CO4wK",
    },
}
"""A thin event, in the shape that the SDK reads."""


async def test_thin_event_is_refused_with_instructions(mirror: Site, capsys: pytest.CaptureFixture[str]) -> None:
    raw = json.dumps(THIN)
    existing = StripeClient("sk_test_x").parse_event_notification(raw, sign(raw.encode(), SECRET, int(time.time())), SECRET)
    assert existing.type == THIN["type"], "what the SDK takes for a thin event"
    assert (await status(mirror.services)).thin_events is None
    assert (await deliver(mirror, THIN, secret="whsec_wrong")).status_code == 400
    assert (await status(mirror.services)).thin_events is None, "only signed ones count"
    for _ in range(2):
        answer = await deliver(mirror, THIN)
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:vetrina:thin-event")
        assert "snapshot events" in answer.json()["detail"]
    assert await rows(mirror) == 0
    result = await status(mirror.services)
    assert result.thin_events and (result.thin_events.count, result.thin_events.last_type) == (2, THIN["type"])
    print_status(result)
    printed = " ".join(capsys.readouterr().out.split())
    assert "2 thin events refused, last v1.billing.meter.error_report_triggered" in printed
    assert "send snapshot events" in printed
