"""Every response has a request id and headers and is counted; cross-site requests are refused."""

from __future__ import annotations

import re

import pytest

from tests.factories import Account, Make
from tests.server import Site
from vetrina.core.web.middleware.request_middleware import foreign, security_headers

SESSION = (b"cookie", b"vetrina_session=x")
HOST = (b"host", b"shop.example")


@pytest.mark.parametrize(
    ("method", "headers", "refused"),
    [
        ("POST", [SESSION, (b"sec-fetch-site", b"cross-site")], True),
        ("POST", [SESSION, (b"sec-fetch-site", b"same-site")], True),
        ("DELETE", [SESSION, (b"sec-fetch-site", b"cross-site")], True),
        ("POST", [SESSION, (b"sec-fetch-site", b"same-origin")], False),
        ("POST", [SESSION, (b"sec-fetch-site", b"none")], False),
        # Sec-Fetch-Site outranks a matching Origin
        ("POST", [SESSION, (b"sec-fetch-site", b"cross-site"), (b"origin", b"https://shop.example")], True),
        # a browser without fetch metadata
        ("POST", [SESSION, (b"origin", b"https://shop.example")], False),
        ("POST", [SESSION, (b"origin", b"https://shop.example:8443")], True),
        ("POST", [SESSION, (b"origin", b"https://evil.example")], True),
        ("POST", [SESSION, (b"origin", b"https://shop.example.evil.example")], True),
        ("POST", [SESSION, (b"origin", b"null")], True),
        # not signed in yet: signing a user in to the attacker's account is an attack too
        ("POST", [(b"sec-fetch-site", b"cross-site")], True),
        ("POST", [(b"origin", b"https://evil.example")], True),
        # API clients
        ("POST", [], False),
        ("POST", [SESSION], False),
        ("POST", [(b"authorization", b"Bearer x"), (b"sec-fetch-site", b"cross-site")], False),
        ("POST", [(b"authorization", b"Bearer x"), SESSION, (b"sec-fetch-site", b"cross-site")], True),
        # links from other sites
        ("GET", [SESSION, (b"sec-fetch-site", b"cross-site")], False),
        ("HEAD", [SESSION, (b"origin", b"https://evil.example")], False),
    ],
)
def test_cross_site_detection(method: str, headers: list[tuple[bytes, bytes]], refused: bool) -> None:
    assert foreign({"method": method, "headers": [HOST, *headers]}) is refused


async def test_cross_site_form_is_refused(site: Site, make: Make) -> None:
    account = await make.account()
    async with site.browser(account) as browser, site.api(account) as api:
        for path, data in (("/account", {"name": "Mallory"}), ("/sign-out", {})):
            answer = await browser.post(path, data=data, headers={"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code == 403 and answer.json()["type"] == "urn:vetrina:foreign-origin"
            assert answer.headers["x-request-id"] and "content-security-policy" in answer.headers
        assert (await api.get("/me")).json()["name"] == "Test"
        ours = await browser.post("/account", data={"name": "Alice"}, headers={"Sec-Fetch-Site": "same-origin"})
        assert ours.status_code == 303
        assert (await api.get("/me")).json()["name"] == "Alice"


async def test_no_other_site_signs_anyone_in(site: Site) -> None:
    form = {"email": "a@example.com", "password": "a long enough one"}
    foreign = {"Origin": "https://evil.example"}
    for path in ("/sign-in", "/sign-up"):
        answer = await site.client.post(path, data=form, headers=foreign)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers


async def test_incoming_request_id_is_reused(site: Site) -> None:
    given = await site.client.get("/healthz", headers={"X-Request-Id": "from-the-proxy_1"})
    assert given.headers.get_list("x-request-id") == ["from-the-proxy_1"]
    created = [(await site.client.get("/healthz")).headers["x-request-id"] for _ in range(2)]
    assert created[0] != created[1] and all(re.fullmatch(r"[0-9a-f-]{36}", item) for item in created)


async def test_unsafe_request_id_is_replaced(site: Site) -> None:
    for bad in ("short", "with space in it", "x" * 65, 'quote"quote'):
        answer = await site.client.get("/healthz", headers={"X-Request-Id": bad})
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


async def test_every_answer_carries_the_security_headers(site: Site) -> None:
    for path in ("/", "/sign-in", "/api/v1/packs", "/nowhere", "/api/v1/nowhere", "/healthz"):
        answer = await site.client.get(path)
        for name, value in security_headers(secure=False):
            assert answer.headers[name.decode()] == value.decode(), path
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_tls_site_sends_hsts() -> None:
    assert (b"strict-transport-security", b"max-age=31536000") in security_headers(secure=True)


async def test_requests_are_counted_by_route_not_by_path(site: Site, make: Make) -> None:
    account: Account = await make.account()
    async with site.api(account) as api:
        before = await counted(site)
        for n in range(3):
            await api.post(f"/sessions/00000000-0000-0000-0000-00000000000{n}/revocation")
        await site.client.get("/no/such/place")
    after = await counted(site)
    grown = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    route = next(key for key in grown if "revocation" in key)
    assert grown[route] == 3 and 'status="404"' in route and "0000" not in route
    assert not any("no/such" in key for key in after)


async def counted(site: Site) -> dict[str, float]:
    """Return the counter's series by labels."""
    text = (await site.client.get("/metrics")).text
    assert "vetrina_db_pool_size " in text
    lines = re.findall(r"^vetrina_http_requests_total(\{.*\}) (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in lines}
