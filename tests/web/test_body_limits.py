"""Request bodies: size limits, incomplete and unreadable ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.factories import Make
from tests.media.processing import bad_files
from tests.server import Site

MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def pieces(size: int) -> AsyncIterator[bytes]:
    """Yield a body without an announced length."""
    for _ in range(0, size, 8192):
        yield b"a" * 8192


def part(disposition: str, text: bytes = b"x") -> bytes:
    """Return one part of a multipart body."""
    return b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + text + b"\r\n"


@pytest.mark.parametrize(
    ("path", "headers", "size", "status"),
    [
        ("/theme", FORM, 60_000, 303),
        ("/theme", FORM, 70_000, 413),
        ("/theme", FORM, 4_000_000, 413),
        ("/theme", MULTIPART, 4_000_000, 413),
        ("/api/v1/auth/session", {"content-type": "application/json"}, 200_000, 400),
        ("/api/v1/auth/session", {"content-type": "application/json"}, 300_000, 413),
        ("/api/v1/auth/session", {}, 4_000_000, 413),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
async def test_large_bodies_are_refused_at_once(
    site: Site, path: str, headers: dict[str, str], size: int, status: int, announced: bool
) -> None:
    """9.B7: 64 KB of a form, 256 KB of JSON, before any sign-in; announced or counted while it arrives."""
    started = time.monotonic()
    answer = await site.client.post(path, content=b"a" * size if announced else pieces(size), headers=headers)
    assert answer.status_code == status
    assert time.monotonic() - started < 3


async def test_a_form_has_two_hundred_fields_at_most(site: Site) -> None:
    """9.B7: urlencoded and multipart alike."""
    for count, status in ((200, 303), (201, 413)):
        body = "&".join(f"f{number}=1" for number in range(count))
        answer = await site.client.post("/theme", content=body, headers=FORM)
        assert answer.status_code == status


async def test_an_upload_has_its_own_limit(site: Site, make: Make) -> None:
    """9.B7: a picture may be larger than other bodies, its form's text and its number of fields may not."""
    account = await make.account()
    async with site.api(account) as client:
        words = part('form-data; name="category"', b"a" * 100_000) + b"--b--"
        text = await client.post("/files", content=words, headers=MULTIPART)
        assert text.status_code == 413
        many = b"".join(part(f'form-data; name="f{number}"') for number in range(201)) + b"--b--"
        assert (await client.post("/files", content=many, headers=MULTIPART)).status_code == 413
        large = part('form-data; name="file"; filename="a.jpg"', b"a" * 26_000_000) + b"--b--"
        refused = await client.post("/files", content=large, headers=MULTIPART)
        assert refused.status_code == 413
        assert refused.json()["type"] == "urn:vetrina:file-too-large"


@pytest.mark.parametrize("disposition", ["form-data", 'form-data; name=""', 'form-data; filename="a.jpg"', "attachment"])
async def test_a_part_without_a_name_is_malformed(site: Site, make: Make, disposition: str) -> None:
    """9.B10: 400, as other forms that cannot be read."""
    account = await make.account()
    async with site.api(account) as client:
        answer = await client.post("/files", content=part(disposition) + b"--b--", headers=MULTIPART)
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:vetrina:malformed"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename*=UTF-8''caf%C3%A9%20%E2%82%AC.png", "café €.png"),
        ("filename=\"cafe.png\"; filename*=utf-8'en'caf%C3%A9.png", "café.png"),
        ("filename*=iso-8859-1''caf%E9.png", "café.png"),
        ('filename="plain.png"', "plain.png"),
    ],
)
async def test_extended_file_names_are_read(site: Site, make: Make, disposition: str, name: str) -> None:
    """9.B10: `filename*` (RFC 8187) makes a part a file and is preferred to `filename`."""
    account = await make.account()
    file = part(f'form-data; name="file"; {disposition}', bad_files.photograph(400, 300))
    body = file + part('form-data; name="category"', b"product_image") + b"--b--"
    async with site.api(account) as client:
        answer = await client.post("/files", content=body, headers=MULTIPART)
    assert answer.status_code == 201, answer.text
    assert answer.json()["file_name"] == name


@pytest.mark.parametrize("path", ["/api/v1/auth/session", "/theme", "/api/v1/files"])
async def test_incomplete_body_is_a_client_error(site: Site, make: Make, path: str, capfd: pytest.CaptureFixture[str]) -> None:
    """9.B8: no error with a traceback, and counted as a bad request rather than a server error."""
    account = await make.account()
    place = urlsplit(site.url)
    kinds = {"/theme": FORM["content-type"], "/api/v1/files": MULTIPART["content-type"]}
    head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: {account.headers['Authorization']}\r\n"
    head += f"Content-Type: {kinds.get(path, 'application/json')}\r\nContent-Length: 1000\r\n\r\n"
    for text in (b"", b'{"a', part('form-data; name="file"; filename="a.jpg"')):
        _, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(head.encode() + text)
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
    await asyncio.sleep(0.3)
    logged = "".join(capfd.readouterr())
    assert "Traceback" not in logged
    assert logged.count("status=400") == 3, logged
