"""The client's address behind proxies, and access to the metrics."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from tests.factories import Make
from tests.server import serving
from vetrina.core.settings.environment import Settings
from vetrina.modules import connect

FORWARDED = ["unknown", "", "_hidden", "not an address", "1.2.3.4.5", "fe80::1%eth0", "203.0.113.9", "999.1.1.1", "::1]"]


@pytest.mark.parametrize("forwarded", FORWARDED)
async def test_invalid_forwarded_address_is_ignored(settings: Settings, database: str, make: Make, forwarded: str) -> None:
    """9.F36: signing in works with whatever a trusted proxy forwards; the session has an address."""
    account = await make.account()
    trusting = replace(settings, trusted_proxies="127.0.0.1")
    async with serving(connect(trusting, database)) as site:
        for path in ("/library", "/wallet"):
            answer = await site.client.get(path, headers={"X-Forwarded-For": forwarded}, cookies=account.cookies)
            assert answer.status_code == 200
        wrong = {"kind": "user", "identifier": "ada@example.com", "password": "not the password"}
        answer = await site.client.post("/sign-in", data=wrong, headers={"X-Forwarded-For": forwarded})
        assert answer.status_code < 500
        async with site.services.db.read() as tx:
            cursor = await tx.connection.execute("select distinct host(ip) from accounts.sessions where ip is not null")
            existing = {row[0] for row in await cursor.fetchall()}
    assert existing <= {"127.0.0.1", "203.0.113.9", "fe80::1"}


async def metrics(settings: Settings, database: str, **headers: str) -> httpx2.Response:
    """Return the response of /metrics on a site with these settings."""
    async with serving(connect(settings, database)) as site:
        return await site.client.get("/metrics", headers=headers)


async def test_metrics_need_this_machine_or_a_token(settings: Settings, database: str) -> None:
    """9.F36: a program on this machine, not one behind a proxy; elsewhere with the token alone."""
    assert (await metrics(settings, database)).status_code == 200
    assert (await metrics(settings, database, **{"X-Forwarded-For": "203.0.113.9"})).status_code == 403
    assert (await metrics(settings, database, Via="1.1 proxy")).status_code == 403
    behind = replace(settings, trusted_proxies="127.0.0.1")
    assert (await metrics(behind, database, **{"X-Forwarded-For": "203.0.113.9"})).status_code == 403
    with_token = replace(behind, metrics_token="a token of more than thirty-two characters")
    assert (await metrics(with_token, database)).status_code == 401
    assert (await metrics(with_token, database, Authorization="Bearer wrong")).status_code == 401
    good = await metrics(
        with_token,
        database,
        **{"Authorization": "Bearer a token of more than thirty-two characters", "X-Forwarded-For": "203.0.113.9"},
    )
    assert good.status_code == 200
    assert "vetrina_http_requests_total" in good.text
