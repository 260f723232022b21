"""Downloads from addresses that another server named: public ones only, with limits, without redirects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Stream

from tests.fakes import Fake
from vetrina.clients.engines.base import EngineRefused
from vetrina.clients.engines.download import download, is_public
from vetrina.clients.engines.retry import Passing

LOOPBACK = [ip_network("127.0.0.0/8")]


class FileHost(Fake):
    """A server of files that records the requests it gets."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        super().__init__()

    def handlers(self) -> list[Any]:
        @get("/{name:str}")
        async def file(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Any] | Stream:
            self.requests.append((str(request.url), dict(request.headers)))
            match name:
                case "large":
                    return Stream(_chunks(), media_type="image/png")
                case "slow":
                    await asyncio.sleep(30)
                case "redirect":
                    return Response(b"", status_code=302, headers={"Location": f"{self.url}/picture"})
                case "gone" | "busy":
                    return Response(b"", status_code=404 if name == "gone" else 503)
                case _:
                    pass
            return Response(b"picture", media_type="image/png")

        return [file]


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(64):
        yield bytes(1024)


@pytest.fixture
def host() -> Any:
    with FileHost() as fake:
        yield fake


async def fetch(url: str, *, allowed: Any = LOOPBACK, limit: int = 10_000, seconds: float = 3.0) -> bytes:
    return await download(url, service="The image service", limit=limit, seconds=seconds, allowed=allowed)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:a00:1::1", False),
    ],
)
def test_public_addresses(address: str, public: bool):
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}/x", "http://[::ffff:127.0.0.1]:{}/x", "http://2130706433.:{}/x"])
async def test_private_address_is_not_connected_to(host: FileHost, form: str):
    with pytest.raises((EngineRefused, Passing)):
        await fetch(form.format(host.port), allowed=[])
    assert host.requests == []


@pytest.mark.parametrize(
    "url", ["ftp://files.example/x", "file:///etc/hostname", "http://user:word@93.184.216.34/", "http://printer/x"]
)
async def test_unsupported_urls_are_refused(url: str):
    with pytest.raises(EngineRefused, match="not public"):
        await fetch(url, allowed=[])


async def test_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    async def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(EngineRefused, match="not public"):
        await fetch("https://files.example/x", allowed=[])


async def test_allowed_network_is_fetched_with_the_host_header(host: FileHost, monkeypatch: pytest.MonkeyPatch):
    async def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", host.port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    assert await fetch(f"http://files.example:{host.port}/picture?signature=a%2Fb") == b"picture"
    ((url, headers),) = host.requests
    assert url.endswith("/picture?signature=a%2Fb") and headers["host"] == f"files.example:{host.port}"
    assert "authorization" not in headers


async def test_redirect_is_not_followed(host: FileHost):
    with pytest.raises(EngineRefused, match="does not hand it out"):
        await fetch(f"{host.url}/redirect")
    assert len(host.requests) == 1


@pytest.mark.parametrize(("name", "error"), [("gone", EngineRefused), ("busy", Passing)])
async def test_missing_file_is_refused_and_busy_server_is_transient(host: FileHost, name: str, error: type[Exception]):
    with pytest.raises(error):
        await fetch(f"{host.url}/{name}")


async def test_size_and_time_are_limited(host: FileHost):
    with pytest.raises(EngineRefused, match="more than"):
        await fetch(f"{host.url}/large")
    began = time.monotonic()
    with pytest.raises(Passing, match="could not be downloaded"):
        await fetch(f"{host.url}/slow", seconds=0.3)
    assert time.monotonic() - began < 3
