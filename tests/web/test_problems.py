"""Errors: problem+json for API clients, a page for browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.factories import Make
from tests.server import Site


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """Return the problem in a response, checked for RFC 9457's form."""
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["type"] and body["title"] and body["detail"]
    return body


async def test_unknown_address_returns_404(site: Site) -> None:
    assert "Not found" in problem(await site.client.get("/api/v1/nowhere"), 404)["detail"]
    page = await site.client.get("/nowhere")
    assert page.status_code == 404 and "text/html" in page.headers["content-type"] and "Not found" in page.text


async def test_wrong_method_is_refused(site: Site) -> None:
    answer = await site.client.put("/api/v1/me")
    problem(answer, 405)
    assert "GET" in answer.headers["allow"]


async def test_invalid_json_is_refused(site: Site) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"not json", b'{"email": "a@b.co",}', b"\xff\xfe", b'{"email": "\xff"}', b"[" * 100_000):
        answer = await site.client.post("/api/v1/auth/session", content=body, headers=headers)
        assert "JSON" in problem(answer, 400)["detail"], body[:20]


async def test_values_of_the_wrong_type(site: Site) -> None:
    bodies: list[object] = [
        {"email": 5, "password": "x"},
        {"email": "a@example.com"},
        {"email": "a@example.com", "password": "x", "admin": True},
        {"email": "a@example.com", "password": "x", "kind": "superuser"},
        {"email": "x" * 400, "password": "x"},
        ["a@example.com"],
        None,
        "text",
    ]
    for body in bodies:
        problem(await site.client.post("/api/v1/auth/session", json=body), 422)
    detail = problem(await site.client.post("/api/v1/auth/session"), 422)["detail"]
    assert detail == "A request body is required."


async def test_a_query_of_the_wrong_type(site: Site, make: Make) -> None:
    wrong = ("limit=0", "limit=101", "limit=ten", "cursor=***", "cursor=" + "A" * 65, "kind=bribe", "asset=gold")
    async with site.api(await make.account()) as api:
        for query in wrong:
            problem(await api.get(f"/wallet/entries?{query}"), 422)
        for query in ("since=yesterday", "since=2026-13-01T00:00:00Z", "action=" + "x" * 65):
            problem(await api.get(f"/usage?{query}"), 422)
        # years that PostgreSQL knows and that Python's calendar just ends at
        for query in ("since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00"):
            assert (await api.get(f"/usage?{query}")).status_code in {200, 422}


async def test_unstorable_text_is_refused(site: Site) -> None:
    for name, status in ((b"zero\\u0000", 422), (b"half \\ud800", 400), (b"line\\nbreak", 201)):
        body = b'{"email": "odd@example.com", "password": "a long enough one", "name": "' + name + b'"}'
        answer = await site.client.post("/api/v1/auth/registration", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, answer.text
        if status != 201:
            problem(answer, status)


async def test_anonymous_request_is_unauthenticated(site: Site) -> None:
    answer = await site.client.get("/api/v1/me")
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    wrong = await site.client.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"})
    problem(wrong, 401)
    page = await site.client.get("/wallet?kind=hold")
    assert page.status_code == 303 and page.headers["location"] == "/sign-in?next=%2Fwallet%3Fkind%3Dhold"


async def test_internal_error_shows_only_its_request_id(site: Site, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the password is hunter2")

    account = await make.account()
    monkeypatch.setattr("vetrina.wallet.ledger.actions.entries", broken)
    async with site.api(account) as api, site.browser(account) as browser:
        answer = await api.get("/wallet/entries", headers={"X-Request-Id": "find-me-in-the-log"})
        assert problem(answer, 500)["request_id"] == "find-me-in-the-log" and "hunter2" not in answer.text
        page = await browser.get("/wallet", headers={"X-Request-Id": "find-me-in-the-log"})
        assert page.status_code == 500 and "find-me-in-the-log" in page.text and "hunter2" not in page.text


async def test_too_large_body_is_refused(site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 1024 * 1024

    headers = {"Content-Type": "application/json", "Content-Length": str(40 * 1024 * 1024)}
    answer = await site.client.post("/api/v1/auth/session", content=endless(), headers=headers)
    assert answer.status_code == 413
