"""ZarinPal's payment gateway, API v4: request, verify, inquiry, unverified, reverse. Amounts are rials.

Source: ZarinPal's public documentation of the gateway. No call is retried here: only the caller knows whether it may be repeated.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, cast

import httpx2
import msgspec

from vetrina.clients.tls import certificates

LIVE = "https://payment.zarinpal.com"
PAID = 100
ALREADY = 101
"""Verified before: equivalent to PAID, and returned by every further verification."""
NOT_PAID = -51
LIMIT = 1024 * 1024
"""Maximum bytes of a response."""


class ZarinPalAway(Exception):
    """No response in time, or an invalid one. The request may or may not have been processed."""


class ZarinPalRefused(Exception):
    """The request was refused; `code` is ZarinPal's own, below zero."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(f"{message} ({code})")


class State(StrEnum):
    """State of a payment at ZarinPal."""

    IN_BANK = "IN_BANK"
    PAID = "PAID"
    VERIFIED = "VERIFIED"
    FAILED = "FAILED"
    REVERSED = "REVERSED"


class Verified(msgspec.Struct, frozen=True):
    """A verified payment: `code` is PAID the first time and ALREADY afterwards."""

    code: int
    ref_id: int
    card_pan: str | None = None


class Unverified(msgspec.Struct, frozen=True):
    """A payment that the bank took and that has not been verified; `amount` as requested."""

    authority: str
    amount: int


class ZarinPal:
    """One merchant's account. Raises ZarinPalAway and ZarinPalRefused."""

    def __init__(self, merchant_id: str, base_url: str = "", *, timeout: float = 10.0) -> None:
        self._merchant = merchant_id
        self._base = (base_url or LIVE).rstrip("/")
        self._timeout = timeout

    @property
    def site(self) -> str:
        """The origin of the payment pages."""
        return "/".join(self._base.split("/")[:3])

    async def request(self, *, amount: int, callback_url: str, description: str, order: str) -> str:
        """Open a payment of `amount` rials; return its authority, which identifies it."""
        data = await self._call(
            "request",
            amount=amount,
            currency="IRR",
            callback_url=callback_url,
            description=description[:255],
            metadata={"order_id": order},
        )
        authority = data.get("authority")
        if data.get("code") != PAID or not isinstance(authority, str) or not authority:
            raise ZarinPalAway(f"no authority in {data!r}")
        return authority

    def page(self, authority: str) -> str:
        """Return the address of the payment page."""
        return f"{self._base}/pg/StartPay/{authority}"

    async def verify(self, authority: str, *, amount: int) -> Verified:
        """Settle the payment, once. Raises ZarinPalRefused with NOT_PAID (-51) if the bank has not received it."""
        verified = _read(await self._call("verify", amount=amount, authority=authority), Verified)
        if verified.code not in {PAID, ALREADY}:
            raise ZarinPalRefused(verified.code, "an unknown answer")
        return verified

    async def inquiry(self, authority: str) -> State:
        """Return the payment's state, without changing it."""
        data = await self._call("inquiry", authority=authority)
        try:
            return State(str(data.get("status")))
        except ValueError:
            raise ZarinPalAway(f"an unknown state in {data!r}") from None

    async def unverified(self) -> list[Unverified]:
        """Return the last hundred payments that the bank took and that have not been verified."""
        data = await self._call("unVerified")
        return _read(data.get("authorities") or [], list[Unverified])

    async def reverse(self, authority: str) -> None:
        """Reverse the payment, within 30 minutes of it."""
        await self._call("reverse", authority=authority)

    async def _call(self, name: str, **fields: Any) -> dict[str, Any]:
        body = {"merchant_id": self._merchant, **fields}
        try:
            async with httpx2.AsyncClient(verify=certificates(), timeout=self._timeout, trust_env=False) as client:
                response = await client.post(f"{self._base}/pg/v4/payment/{name}.json", json=body)
        except httpx2.HTTPError as error:
            raise ZarinPalAway(f"{name}: {type(error).__name__}") from error
        if len(response.content) > LIMIT:
            raise ZarinPalAway(f"{name}: an answer of {len(response.content)} bytes")
        try:
            content = msgspec.json.decode(response.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ZarinPalAway(f"{name}: HTTP {response.status_code} and no JSON") from None
        data, errors = content.get("data"), content.get("errors")
        if isinstance(errors, dict) and errors:
            error_object = cast("dict[str, Any]", errors)
            code = error_object.get("code")
            if isinstance(code, int) and code < 0:
                raise ZarinPalRefused(code, str(error_object.get("message", "")))
        if not isinstance(data, dict) or response.status_code >= 400:
            raise ZarinPalAway(f"{name}: HTTP {response.status_code} and nothing said")
        return cast("dict[str, Any]", data)


def _read(value: Any, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ZarinPalAway(f"an answer that is not as documented: {error}") from error
