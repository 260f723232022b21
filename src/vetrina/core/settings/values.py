"""Parsers of settings: each takes the text of an environment variable and returns the value.

They raise ValueError with the allowed values, phrased to follow the variable's name: "must be ...". The text itself is not
repeated, since it may be a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

SECRET_BYTES = 32
"""Minimum length of a signing key."""
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")


def text(value: str) -> str:
    """Return a line of text."""
    if not value.isprintable():
        raise ValueError("must be one line of text without control characters")
    return value


def word(value: str) -> str:
    """Return a name or key without spaces."""
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("must be ASCII letters, digits and signs without spaces")
    return value


def flag(value: str) -> bool:
    """Return whether a setting is on."""
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be true or false (1, yes, on; 0, no, off)")


def number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers in a range."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value) or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return parse


def disk_space(value: str) -> tuple[float, int]:
    """Return a part of the disk (0 to 0.9) and a number of bytes, one of which is 0: 5%, 500MB, 1GB, 0."""
    if match := re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,2})?) ?%", value):
        share = float(match[1]) / 100
        if share <= 0.9:
            return share, 0
    elif match := re.fullmatch(r"([0-9]{1,9}) ?([MGT]B)", value.upper()):
        return 0.0, int(match[1]) * {"MB": 10**6, "GB": 10**9, "TB": 10**12}[match[2]]
    elif value == "0":
        return 0.0, 0
    raise ValueError("must be a size such as 500MB or 2GB, a part of the disk up to 90% such as 5%, or 0")


def reserve(value: str) -> str:
    """Return the text of an amount that `disk_space` parses."""
    disk_space(value)
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a parser of one of these words."""

    def parse(value: str) -> str:
        if value.lower() not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value.lower()

    return parse


def folder(value: str) -> Path:
    """Return a folder, which need not exist yet."""
    path = Path(value)
    if path.exists() and not path.is_dir():
        raise ValueError("must be a folder; this is a file")
    return path


def file(value: str) -> str:
    """Return the path of a file that exists."""
    if not Path(value).is_file():
        raise ValueError("must be the path of a file that exists")
    return value


def items(value: str) -> list[str]:
    """Return the items of a comma-separated list; at least one, none of them empty."""
    parts = [item.strip() for item in value.split(",")]
    if not all(parts):
        raise ValueError("must be a list separated by single commas, without empty items")
    return parts


def names(value: str) -> str:
    """Return a list of modules' names."""
    if not all(re.fullmatch(r"[a-z_]+", item) for item in items(value)):
        raise ValueError("must be names of modules, separated by commas")
    return value


def host(value: str) -> str:
    """Return an address or name to listen on."""
    if not (_is_address(value) or _HOST.fullmatch(value)):
        raise ValueError("must be an IP address or a host's name, such as 127.0.0.1 or ::, without scheme and port")
    return value


def networks(value: str) -> str:
    """Return a list of addresses and networks, or "*"."""
    for item in items(value) if value != "*" else []:
        try:
            ipaddress.ip_network(item)
        except ValueError:
            raise ValueError(
                "must be * or IP addresses and networks, separated by commas, such as 10.0.0.5, 10.1.0.0/16"
            ) from None
    return value


def name_servers(value: str) -> list[tuple[str, int]]:
    """Return a list of addresses and ports; port 53 where none is given."""
    servers: list[tuple[str, int]] = []
    for item in items(value):
        address, _, port = item.rpartition(":") if item.count(":") == 1 or "]:" in item else (item, "", "53")
        if not _is_address(address.strip("[]")) or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise ValueError("must be IP addresses or address:port, separated by commas, such as 9.9.9.9, [2620:fe::fe]:53")
        servers.append((str(ipaddress.ip_address(address.strip("[]"))), int(port)))
    return servers


def name_server_list(value: str) -> str:
    """Return the text of a list that `name_servers` parses."""
    name_servers(value)
    return value


def secret_keys(value: str) -> str:
    """Return a list of signing keys, the newest first."""
    if any(len(item.encode()) < SECRET_BYTES for item in items(value)):
        raise ValueError(
            f"must be keys of at least {SECRET_BYTES} bytes, the newest first, separated by commas; "
            "`openssl rand -base64 48` makes one"
        )
    return value


def one_or_two(value: str) -> str:
    """Return one secret, or two while it is rotated."""
    if len(items(value)) > 2:
        raise ValueError("must be one secret, or two separated by a comma while it is rotated")
    return word(value.replace(" ", ""))


def site(value: str) -> str:
    """Return a site's address: scheme, host and optional port."""
    example = "must be an http or https address without a path, such as https://studio.example.com"
    parts = _split(value, ("http", "https"), example)
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(example)
    return value


def endpoint(value: str) -> str:
    """Return the address of another server, which may have a path."""
    example = "must be an http or https address, such as https://api.example.com/v1"
    parts = _split(value, ("http", "https"), example)
    if parts.query or parts.fragment:
        raise ValueError(example)
    return value


def storage(value: str) -> str:
    """Return the address of a bucket."""
    example = "must be s3://bucket, gs://bucket or az://container, perhaps with a folder: s3://bucket/folder"
    parts = _split(value, ("s3", "gs", "az"), example)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(example)
    return value


def smtp(value: str) -> str:
    """Return the address of a mail server."""
    _split(value, ("smtp", "smtps"), "must look like smtp://user:password@mail.example.com:587, or smtps:// for TLS at once")
    return value


def sender(value: str) -> str:
    """Return the sender of mail: an address, optionally with a name."""
    addresses = getaddresses([value])
    name, address = addresses[0] if len(addresses) == 1 else ("", "")
    local, _, domain = address.rpartition("@")
    plain = re.fullmatch(r"[^\s@,;:<>()\[\]\\\"]+", local) and _HOST.fullmatch(domain)
    if not plain or not name.isprintable() or not value.isprintable():
        raise ValueError("must be a mail address, perhaps with a name: Studio <mail@example.com>")
    return value


def sms_sender(value: str) -> str:
    """Return the sender of SMS."""
    if not re.fullmatch(r"\+?[0-9]{3,15}|[A-Za-z0-9][A-Za-z0-9 &._+-]{0,33}", value):
        raise ValueError("must be a phone number (+15551234567) or a name that the provider knows")
    return value


def region(value: str) -> str:
    """Return a region that has its own phone numbers."""
    from phonenumbers import SUPPORTED_REGIONS

    if value.upper() not in SUPPORTED_REGIONS:
        raise ValueError("must be a country's code of two letters (ISO 3166), such as IR or DE")
    return value.upper()


def database(value: str) -> str:
    """Return a PostgreSQL connection URI or string, as libpq takes it."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(value)
    except ProgrammingError:
        raise ValueError("must look like postgresql://user:password@host:5432/database") from None
    return value


def token(value: str) -> str:
    """Return a bearer token."""
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{16,}", value):
        raise ValueError("must be at least 16 letters, digits or signs of ._~+/=-; `openssl rand -hex 24` makes one")
    return value


def _split(value: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(example) from None
    name = parts.hostname or ""
    good = parts.scheme in schemes and (_is_address(name) or _HOST.fullmatch(name)) and port != 0
    if not good or re.search(r"[\s\\]", value) or not value.isprintable():
        raise ValueError(example)
    return parts


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
