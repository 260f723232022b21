"""Devices that have signed in to an account before, by a sealed cookie of theirs."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

import msgspec
from litestar.datastructures import Cookie

from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services
from vetrina.core.web.request import Request

DAYS = 400
"""Lifetime of a known device's cookie (the longest that browsers keep)."""
ACCOUNTS = 8
"""Accounts that one device is known to; the latest ones."""


class KnownDevice(msgspec.Struct, frozen=True):
    """A device with the accounts that it has signed in to, sealed in a cookie."""

    device: str
    signed_in: list[UUID]
    device_expires: float


def read(request: Request) -> KnownDevice | None:
    """Return the device of the request's cookie, or None."""
    try:
        device = unseal(request.services.keys, request.cookies.get(_name(request.services), ""), KnownDevice)
    except Broken:
        return None
    return device if device.device_expires > time.time() else None


def cookie(request: Request, account: UUID) -> Cookie:
    """Return the cookie that makes this device known to an account that has signed in."""
    before = read(request)
    accounts = [account, *(other for other in (before.signed_in if before else []) if other != account)][:ACCOUNTS]
    device = KnownDevice(before.device if before else secrets.token_hex(16), accounts, time.time() + DAYS * 86400)
    return Cookie(
        _name(request.services),
        value=seal(request.services.keys, device),
        path="/",
        max_age=DAYS * 86400,
        httponly=True,
        secure=request.services.settings.secure,
        samesite="lax",
    )


def _name(services: Services) -> str:
    return "__Host-vetrina_device" if services.settings.secure else "vetrina_device"
