"""HTTP semantics of every route: HEAD, caching, times in queries, and documented errors in OpenAPI."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.factories import Make
from tests.media.processing import bad_files
from tests.server import Site
from vetrina.core.web.http.byte_ranges import NotSatisfiable, requested_range
from vetrina.modules import CORE, MODULES

METHODS = {"get", "post", "put", "patch", "delete"}


def pages_without_parameters() -> list[str]:
    """Every GET of a page whose path has no parameter and that is no stream."""
    handlers = [route for module in (CORE, *MODULES) for route in module.page_routes() if hasattr(route, "http_methods")]
    paths = {path for route in handlers for path in route.paths if "GET" in route.http_methods}
    return sorted(path for path in paths if "{" not in path and "events" not in path)


@pytest.mark.parametrize("signed_in", [False, True])
async def test_every_get_answers_head(site: Site, make: Make, signed_in: bool) -> None:
    """9.B10: with GET's status and type, and without a body."""
    account = await make.account()
    paths = [*pages_without_parameters(), "/", "/api/v1/packs", "/api/v1/me", "/api/v1/styles", "/no/such/page"]
    assert len(paths) > 30
    cookies = account.cookies if signed_in else None
    for path in paths:
        got = await site.client.get(path, cookies=cookies)
        head = await site.client.head(path, cookies=cookies)
        assert head.status_code == got.status_code, path
        assert head.content == b""
        for name in ("content-type", "cache-control", "location"):
            assert head.headers.get(name) == got.headers.get(name), path


async def test_head_of_a_stream_ends(site: Site, make: Make) -> None:
    """9.B10: a stream of events has no body either, and its connection is free again."""
    account = await make.account()
    async with site.browser(account) as browser:
        assert (await browser.head("/account/events", timeout=5)).status_code in {200, 404}
        assert (await browser.get("/healthz")).status_code == 200


async def test_answers_of_the_api_are_not_stored(site: Site, make: Make) -> None:
    """9.B10: whoever asks, well or badly."""
    account = await make.account()
    async with site.api(account) as api:
        for path in ("/me", "/wallet", "/files", "/usage", "/files/not-an-id"):
            assert (await api.get(path)).headers["cache-control"] == "no-store", path
    assert (await site.client.post("/api/v1/auth/session", json={})).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("text", ["0.5", "1700000000", "-1", "1e9", "yesterday", "2026-13-01T00:00:00Z", ""])
async def test_number_is_refused_as_a_time(site: Site, make: Make, text: str) -> None:
    """9.B10: 422 that names the parameter."""
    account = await make.account()
    async with site.api(account) as api:
        answer = await api.get("/usage", params={"until": text})
        assert answer.status_code == 422
        assert "until" in answer.text
        assert (await api.get("/usage", params={"until": "2026-01-31T12:00:00Z"})).status_code == 200


async def test_media_answer_ranges(site: Site, make: Make) -> None:
    """9.B10: one range of bytes, if it is still the same picture; 416 behind the end; If-None-Match as ever."""
    account = await make.account()
    async with site.api(account) as api:
        form = {"file": ("a.png", bad_files.photograph(1600, 1200))}
        sent = (await api.post("/files", files=form, data={"category": "product_image"})).json()
    url, size = sent["url"], sent["bytes"]
    whole = await site.client.get(url)
    assert (whole.headers["accept-ranges"], len(whole.content)) == ("bytes", size)
    tag = whole.headers["etag"]
    for header, start, end in (
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=5-{size + 100}", 5, size),
        ("bytes=-99999999", 0, size),
    ):
        part = await site.client.get(url, headers={"Range": header, "If-Range": tag})
        assert part.status_code == 206, header
        assert part.content == whole.content[start:end]
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert part.headers["content-type"] == whole.headers["content-type"]
    for headers in ({"Range": "bytes=0-9", "If-Range": '"other"'}, {"Range": "bytes=0-1,5-6"}, {"Range": "lines=1-2"}):
        assert (await site.client.get(url, headers=headers)).status_code == 200
    behind = await site.client.get(url, headers={"Range": f"bytes={size}-"})
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{size}")
    assert (await site.client.get(url, headers={"If-None-Match": tag})).status_code == 304
    head = await site.client.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [(None, 10, None), ("bytes=3-1", 10, None), ("bytes=-0", 10, NotSatisfiable), ("bytes=0-0", 0, NotSatisfiable),
     ("bytes=9-", 10, (9, 10)), ("bytes = 1 - 2", 10, (1, 3)), ("bytes=\u0661-", 10, None)],
)  # fmt: skip
def test_ranges_are_read(header: str | None, size: int, expected: Any) -> None:
    """9.B10: what is no range is the whole."""
    if expected is NotSatisfiable:
        with pytest.raises(NotSatisfiable):
            requested_range(header, size)
    else:
        assert requested_range(header, size) == expected


async def test_openapi_lists_security_schemes_and_problem_responses(site: Site) -> None:
    """9.B10: security schemes that every guarded operation asks for, and every refusal as problem+json."""
    document = (await site.client.get("/api/docs/openapi.json")).json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "cookie"}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            place = f"{method} {path}"
            refusals = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
            assert {"401", "422", "429", "503", "4XX"} <= set(refusals), place
            for status, answer in refusals.items():
                assert list(answer["content"]) == ["application/problem+json"], (place, status)
            assert ({} in operation["security"]) == (await _is_open(site, method, path)), place
            for reported in re.findall(r"\b(4\d\d)\b", operation.get("description", "")):
                assert reported in refusals, (place, reported)
    ambiguous: list[str] = []
    _find_ambiguous(document, "", ambiguous)
    assert ambiguous == []


async def _is_open(site: Site, method: str, path: str) -> bool:
    """Return whether an anonymous request gets anything but 401."""
    filled = re.sub(r"{(position|number)}", "1", path)
    filled = re.sub(r"{[^}]+}", "01890000-0000-7000-8000-000000000000", filled)
    return (await site.client.request(method, filled)).status_code != 401


def _find_ambiguous(value: Any, place: str, places: list[str]) -> None:
    if isinstance(value, dict):
        kinds = [kind.get("type") for kind in value.get("oneOf", []) if isinstance(kind, dict)]
        if "number" in kinds and "integer" in kinds:
            places.append(place)
        for key, item in value.items():
            _find_ambiguous(item, f"{place}/{key}", places)
    elif isinstance(value, list):
        for item in value:
            _find_ambiguous(item, place, places)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 401),
        ("application/json; charset=utf-8", 401),
        ("application/vnd.api+json", 401),
        ("text/plain", 415),
        ("text/plain;charset=UTF-8", 415),
        ("application/x-www-form-urlencoded", 415),
        ("image/png", 415),
    ],
)
async def test_json_is_read_from_json_only(site: Site, content_type: str, status: int) -> None:
    """A page of another site may send text/plain without the browser asking this site first."""
    body = b'{"email":"somebody@example.com","password":"not the right one"}'
    answer = await site.client.post("/api/v1/auth/session", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert status != 415 or answer.json()["type"] == "urn:vetrina:json-required"
