"""Download of a file from an address that another server named: public addresses only.

The host name is resolved here and the connection goes to the checked address itself, so that a name which
resolves differently the next moment cannot lead elsewhere. TLS is still checked against the name. No redirect
is followed and no credential is sent.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx2

from vetrina.clients.engines.base import EngineRefused
from vetrina.clients.engines.http import client
from vetrina.clients.engines.retry import Passing

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


async def download(url: str, *, service: str, limit: int, seconds: float, allowed: Sequence[Network] = ()) -> bytes:
    """Return the bytes at `url`, at most `limit` of them within `seconds`.

    `allowed` names networks that may be reached although they are not public. `service` begins the messages.
    Raises EngineRefused for an address that is not public or a file that is not handed out, Passing for a
    failure that another attempt may cure.
    """
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise _not_public(service) from error
    secure = parsed.scheme == "https"
    # A name of one label is one of the local network.
    if parsed.scheme not in ("http", "https") or parsed.userinfo or not ("." in parsed.host or ":" in parsed.host):
        raise _not_public(service)
    host = parsed.raw_host.decode("ascii")
    try:
        async with asyncio.timeout(seconds):
            address = await _public_address(host, parsed.port or (443 if secure else 80), service, allowed)
            target = parsed.copy_with(host=str(address))
            headers = {"Host": parsed.netloc.decode("ascii")}
            async with client(service=service, limit=limit, timeout=httpx2.Timeout(seconds)) as http:
                response = await http.get(target, headers=headers, extensions={"sni_hostname": host} if secure else {})
    except (httpx2.RequestError, TimeoutError) as error:
        raise Passing(f"{service} made a picture, but it could not be downloaded.") from error
    if response.status_code == 429 or response.status_code >= 500:
        raise Passing(f"{service} made a picture, but its file server is not available just now.")
    if response.status_code != 200:
        raise EngineRefused(f"{service} made a picture but does not hand it out. Please tell the operator.")
    return response.content


async def _public_address(host: str, port: int, service: str, allowed: Sequence[Network]) -> Address:
    """Return the host's first address, if every one of them may be reached. Raises EngineRefused, Passing."""
    try:
        records = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Passing(f"{service} made a picture, but its file server was not found.") from error
    addresses = [ip_address(str(record[4][0]).partition("%")[0]) for record in records]
    if not addresses or not all(is_public(address) or _within(address, allowed) for address in addresses):
        raise _not_public(service)
    return addresses[0]


def is_public(address: Address) -> bool:
    """Return whether the address is one of the public Internet, also where IPv6 carries an IPv4 address."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        embedded = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if embedded is not None:
            return is_public(embedded)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _not_public(service: str) -> EngineRefused:
    return EngineRefused(
        f"{service} answered with an address on another server that is not public, from which nothing is fetched."
        " Please tell the operator."
    )
