"""ZarinPal's payment gateway, API v4: request, verify, inquiry, unverified, reverse. Amounts are rials.

Source: ZarinPal's public documentation of the gateway. No call is repeated here: whoever calls knows whether it may be.
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
"""Verified before: as good as PAID, and told as often as one asks."""
NOT_PAID = -51
LIMIT = 1024 * 1024
"""Bytes of an answer."""


class ZarinPalAway(Exception):
    """It did not answer in time, or not in its own words. What was asked may or may not have been done."""


class ZarinPalRefused(Exception):
    """It said no: `code` is ZarinPal's own, below zero."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(f"{message} ({code})")


class State(StrEnum):
    """Where a payment stands at ZarinPal."""

    IN_BANK = "IN_BANK"
    PAID = "PAID"
    VERIFIED = "VERIFIED"
    FAILED = "FAILED"
    REVERSED = "REVERSED"


class Verified(msgspec.Struct, frozen=True):
    """A payment that ZarinPal has: `code` is PAID the first time and ALREADY afterwards."""

    code: int
    ref_id: int
    card_pan: str | None = None


class Unverified(msgspec.Struct, frozen=True):
    """A payment that the bank took and that nobody has verified; `amount` as it was requested."""

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
        """The origin of the pages where one pays."""
        return "/".join(self._base.split("/")[:3])

    async def request(self, *, amount: int, callback_url: str, description: str, order: str) -> str:
        """Open a payment of `amount` rials; its authority, which names it from then on."""
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
        """Where the buyer pays."""
        return f"{self._base}/pg/StartPay/{authority}"

    async def verify(self, authority: str, *, amount: int) -> Verified:
        """Take the money, once. Raises ZarinPalRefused with NOT_PAID (-51) when the bank has not got it."""
        found = _read(await self._call("verify", amount=amount, authority=authority), Verified)
        if found.code not in {PAID, ALREADY}:
            raise ZarinPalRefused(found.code, "an unknown answer")
        return found

    async def inquiry(self, authority: str) -> State:
        """Where it stands; asking changes nothing."""
        data = await self._call("inquiry", authority=authority)
        try:
            return State(str(data.get("status")))
        except ValueError:
            raise ZarinPalAway(f"an unknown state in {data!r}") from None

    async def unverified(self) -> list[Unverified]:
        """What the bank took and nobody verified, the last hundred."""
        data = await self._call("unVerified")
        return _read(data.get("authorities") or [], list[Unverified])

    async def reverse(self, authority: str) -> None:
        """Give the money back, within 30 minutes of the payment."""
        await self._call("reverse", authority=authority)

    async def _call(self, name: str, **fields: Any) -> dict[str, Any]:
        body = {"merchant_id": self._merchant, **fields}
        try:
            async with httpx2.AsyncClient(verify=certificates(), timeout=self._timeout, trust_env=False) as client:
                answer = await client.post(f"{self._base}/pg/v4/payment/{name}.json", json=body)
        except httpx2.HTTPError as error:
            raise ZarinPalAway(f"{name}: {type(error).__name__}") from error
        if len(answer.content) > LIMIT:
            raise ZarinPalAway(f"{name}: an answer of {len(answer.content)} bytes")
        try:
            said = msgspec.json.decode(answer.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ZarinPalAway(f"{name}: HTTP {answer.status_code} and no JSON") from None
        data, errors = said.get("data"), said.get("errors")
        if isinstance(errors, dict) and errors:
            wrong = cast("dict[str, Any]", errors)
            code = wrong.get("code")
            if isinstance(code, int) and code < 0:
                raise ZarinPalRefused(code, str(wrong.get("message", "")))
        if not isinstance(data, dict) or answer.status_code >= 400:
            raise ZarinPalAway(f"{name}: HTTP {answer.status_code} and nothing said")
        return cast("dict[str, Any]", data)


def _read(value: Any, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ZarinPalAway(f"an answer that is not as documented: {error}") from error
