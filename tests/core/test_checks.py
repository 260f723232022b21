"""The checks that `vetrina doctor` and the operators' front page share."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.factories import Make
from tests.server import Site, serving
from vetrina import modules
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core import checks
from vetrina.core.checks import Check
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.modules import connect

LIVE = {
    "development": False,
    "sandbox": False,
    "public_url": "https://example.com",
    "smtp_url": "smtp://mail.example.com",
    "mail_from": "Shop <shop@example.com>",
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "secret",
}


class Usage(NamedTuple):
    """A disk's figures."""

    total: int
    used: int
    free: int


async def state(settings: Settings, services: Services | None = None) -> dict[str, Check]:
    """Return the checks by name."""
    installed = modules.of(settings)
    if services is None:
        return {check.name: check for check in await checks.run(checks.Site(settings, installed, None))}
    async with services.db.read() as tx:
        return {check.name: check for check in await checks.run(checks.Site(settings, installed, tx))}


async def test_a_live_site_that_is_set_up_is_in_order(settings: Settings) -> None:
    checks.record_dump(settings.data, datetime.now(UTC))
    results = await state(replace(settings, **LIVE))
    assert {check.name: check.detail for check in results.values() if check.state != "ok"} == {}
    assert {"mail", "SMS", "public address", "sandbox", "disk", "backup", "webhooks"} <= set(results)


@pytest.mark.parametrize(
    ("name", "missing", "action"),
    [
        ("mail", {"smtp_url": ""}, "VETRINA_SMTP_URL"),
        ("mail", {"mail_from": "Vetrina <vetrina@localhost>"}, "VETRINA_MAIL_FROM"),
        ("SMS", {"twilio_auth_token": ""}, "TWILIO_AUTH_TOKEN"),
        ("public address", {"public_url": ""}, "VETRINA_PUBLIC_URL"),
        ("public address", {"public_url": "http://example.com"}, "TLS proxy"),
        ("sandbox", {"sandbox": True}, "VETRINA_SANDBOX=off"),
        ("webhooks", {"stripe_api_key": "sk_test_1"}, "STRIPE_WEBHOOK_SECRET"),
    ],
)
async def test_a_missing_setting_is_named_with_its_remedy(
    settings: Settings, name: str, missing: dict[str, Any], action: str
) -> None:
    check = (await state(replace(settings, **{**LIVE, **missing})))[name]
    assert check.state != "ok" and action in check.action


@pytest.mark.parametrize(
    ("free", "expected"), [(31 << 20, "failure"), (500 << 20, "failure"), (1500 << 20, "warning"), (5 << 30, "ok")]
)
async def test_the_disk_lamp_follows_free_space(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, expected: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10 << 30, (10 << 30) - free, free))
    assert (await state(settings))["disk"].state == expected


async def test_the_backup_lamp_follows_the_last_dump(settings: Settings) -> None:
    live = replace(settings, **LIVE)
    assert (await state(live))["backup"].state == "warning"
    checks.record_dump(settings.data, datetime.now(UTC) - timedelta(days=1))
    assert (await state(live))["backup"].state == "ok"
    checks.record_dump(settings.data, datetime.now(UTC) - timedelta(days=2, minutes=1))
    assert "vetrina db dump" in (await state(live))["backup"].action


async def test_the_queue_lamp_notices_a_missing_worker_and_waiting_jobs(settings: Settings, services: Services) -> None:
    assert (await state(settings, services))["queue"].detail == "no worker is running"
    async with services.db.tx() as tx:
        await tx.connection.execute("insert into procrastinate_workers default values")
    assert (await state(settings, services))["queue"].state == "ok"
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "insert into procrastinate_jobs (queue_name, task_name, scheduled_at) values"
            " ('core', 'core.deliver', now() - interval '5 minutes'), ('studio', 'studio.generate', now() - interval '1 hour')"
        )
    check = (await state(settings, services))["queue"]
    assert check.state == "warning" and "1 jobs wait, the longest for 300 s" in check.detail


async def test_the_webhook_lamp_counts_what_fails(settings: Settings, services: Services) -> None:
    live = replace(settings, stripe_api_key="sk_test_1", stripe_webhook_secret="whsec_1")
    assert "no event has arrived yet" in (await state(live, services))["webhooks"].detail
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "insert into payments.webhook_events (event_id, type, outcome) values ('evt_1', 'charge.refunded', 'dead')"
        )
    check = (await state(live, services))["webhooks"]
    assert check.state == "warning" and "1 failed permanently" in check.detail


async def test_operators_see_the_lamps_and_others_do_not(site: Site, make: Make) -> None:
    operator, user = await make.account(), await make.account()
    async with site.services.db.tx() as tx:
        await roles.grant(tx, operator.id, Role.ADMIN)
    async with site.browser(operator) as browser:
        page = await browser.get("/operator")
        assert page.status_code == 200 and "no worker is running" in page.text and "VETRINA_SMTP_URL" in page.text
    async with site.browser(user) as browser:
        assert (await browser.get("/operator")).status_code == 403


async def test_pages_promise_no_letter_that_is_not_sent(settings: Settings, database: str, tmp_path: Path) -> None:
    """10.8: without SMTP or SMS no page says that something was sent."""
    form = {"email": "ada@example.com", "password": "a long enough one", "name": "Ada", "way": "email"}
    promises = ("We have written to", "on their way to", "We send a code")
    async with serving(connect(settings, database)) as site:
        for path in ("/reset", "/reset?way=phone", "/sign-up?way=phone", "/sign-in?way=phone"):
            page = (await site.client.get(path)).text
            assert not any(promise in page for promise in promises) and "Send me a code instead" not in page, path
        signed_up = await site.client.post("/sign-up", data=form, follow_redirects=True)
        assert "does not send mail yet" in signed_up.text and not any(promise in signed_up.text for promise in promises)
        security = (await site.client.get("/settings/security")).text
        assert "We send a code there" not in security
        site.client.cookies.clear()
        code = await site.client.post("/reset", data={"email": "ada@example.com", "way": "email"}, follow_redirects=True)
        assert "no code comes" in code.text and not any(promise in code.text for promise in promises)
    async with serving(connect(replace(settings, smtp_url="smtp://127.0.0.1:1"), database)) as site:
        signed_up = await site.client.post("/sign-up", data={**form, "email": "eve@example.com"}, follow_redirects=True)
        assert "on their way to" in signed_up.text
