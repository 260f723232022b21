"""Stripe through its official SDK: customers, Checkout, the billing portal, refunds.

The API's version is pinned, every call that changes something carries an idempotency key, and the SDK retries calls that
were lost. Amounts are in Stripe's units, which differ from ISO's in some currencies (`vetrina.web.money`).
Source: Stripe's API reference.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx2
import msgspec

from vetrina.clients.stripe.subscriptions import Plans
from vetrina.clients.tls import certificates

if TYPE_CHECKING:
    from stripe import StripeClient

VERSION = "2026-10-28.endive"
"""The API version of the types below. It is updated by hand together with the SDK."""
LIVE = "https://api.stripe.com"
PAGES = ("https://checkout.stripe.com", "https://billing.stripe.com")
"""Origins of the pages that buyers are redirected to."""
LIMIT = 4 * 1024 * 1024
"""Maximum bytes of a response."""

CURRENCIES = frozenset(
    re.findall(
        r"[A-Z]{3}",
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF "
        "CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF "
        "IDR ILS INR JMD JPY KES KGS KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR "
        "MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK "
        "SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS VND VUV WST XAF XCD XOF XPF YER "
        "ZAR ZMW BHD ISK JOD KWD OMR TND UGX XCG",
    )
)
"""Currencies in which Stripe charges cards. Source: Stripe, \"Supported currencies\"."""


class StripeAway(Exception):
    """No response in time, or an invalid one. The request may or may not have been processed."""


class StripeRefused(Exception):
    """The request was refused: `code` is Stripe's own, such as charge_already_refunded, or the type; `param` the parameter."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        self.code = code
        self.param = param
        super().__init__(f"{message} ({code})")

    @property
    def customer_missing(self) -> bool:
        """Whether the call named a customer that was deleted at Stripe."""
        return (self.code, self.param) == ("resource_missing", "customer")


class Card(msgspec.Struct, frozen=True):
    """Displayable details of a card."""

    brand: str | None = None
    last4: str | None = None


class Method(msgspec.Struct, frozen=True):
    """Payment method of a charge."""

    type: str | None = None
    card: Card | None = None


class Charge(msgspec.Struct, frozen=True):
    """A charge."""

    id: str
    payment_method_details: Method | None = None
    amount_refunded: int = 0


class Intent(msgspec.Struct, frozen=True):
    """A payment intent; `metadata` is Vetrina's."""

    id: str
    metadata: dict[str, str] = {}
    latest_charge: Charge | str | None = None


class Session(msgspec.Struct, frozen=True):
    """A Checkout Session. `status` is open, complete or expired; `payment_status` paid, unpaid or no_payment_required."""

    id: str
    url: str | None = None
    status: str | None = None
    payment_status: str | None = None
    amount_total: int | None = None
    currency: str | None = None
    payment_intent: Intent | str | None = None
    subscription: str | None = None
    customer: str | None = None
    metadata: dict[str, str] = {}


class Refund(msgspec.Struct, frozen=True):
    """A refund; `status` is pending, requires_action, succeeded, failed or canceled."""

    id: str
    amount: int
    status: str
    failure_reason: str | None = None


class Line(msgspec.Struct, frozen=True):
    """A line item: title and price, recurring if `monthly`."""

    title: str
    amount: int
    currency: str
    monthly: bool = False


class _Named(msgspec.Struct):
    id: str


class _Addressed(msgspec.Struct):
    url: str


class Stripe(Plans):
    """One account at Stripe. Raises StripeAway and StripeRefused. `timeout` is in seconds for one attempt."""

    def __init__(self, api_key: str, base_url: str = LIVE, *, timeout: float = 10.0, retries: int = 1) -> None:
        self.base_url = (base_url or LIVE).rstrip("/")
        self._key = api_key
        self._timeout = timeout
        self._retries = retries
        self._sdk: StripeClient | None = None

    async def customer(self, *, account: str, email: str | None, name: str | None, key: str) -> str:
        """Create a customer and return its id; the same `key` gives the same customer."""
        params: dict[str, Any] = {"metadata": {"vetrina_account": account}}
        params |= {field: value for field, value in (("email", email), ("name", name)) if value}
        return (await self._read(self._api.customers.create_async(cast(Any, params), {"idempotency_key": key}), _Named)).id

    async def checkout(
        self,
        mode: Literal["payment", "subscription"],
        line: Line,
        *,
        customer: str,
        reference: str,
        metadata: Mapping[str, str],
        success_url: str,
        cancel_url: str,
        expires_at: int,
        key: str,
    ) -> Session:
        """Open a Checkout Session that can be paid until `expires_at` (seconds; from 30 minutes to a day ahead).

        What is paid carries `metadata`: the payment intent and its charges, or the subscription.
        """
        price: dict[str, Any] = {
            "currency": line.currency.lower(), "unit_amount": line.amount, "product_data": {"name": line.title},
        }  # fmt: skip
        if line.monthly:
            price["recurring"] = {"interval": "month"}
        params: dict[str, Any] = {
            "mode": mode,
            "customer": customer,
            "client_reference_id": reference,
            "line_items": [{"quantity": 1, "price_data": price}],
            "metadata": dict(metadata),
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": expires_at,
            "payment_intent_data" if mode == "payment" else "subscription_data": {"metadata": dict(metadata)},
        }
        return await self._read(self._api.checkout.sessions.create_async(cast(Any, params), {"idempotency_key": key}), Session)

    async def session(self, session: str) -> Session:
        """Return a Checkout Session with its payment intent and charge."""
        params: Any = {"expand": ["payment_intent.latest_charge"]}
        return await self._read(self._api.checkout.sessions.retrieve_async(session, params), Session)

    async def expire(self, session: str, *, key: str) -> Session:
        """Expire an open Checkout Session, so that it can no longer be paid."""
        return await self._read(self._api.checkout.sessions.expire_async(session, None, {"idempotency_key": key}), Session)

    async def intent(self, intent: str) -> Intent:
        """Return a payment intent."""
        return await self._read(self._api.payment_intents.retrieve_async(intent), Intent)

    async def charge_intent(self, charge: str) -> str | None:
        """Return the payment intent of a charge."""
        details = await self._read(self._api.charges.retrieve_async(charge), _ChargeOf)
        return details.payment_intent

    async def refund(self, intent: str, *, amount: int, metadata: Mapping[str, str], key: str) -> Refund:
        """Refund `amount` of a payment intent. The same `key` gives the same refund."""
        params: Any = {"payment_intent": intent, "amount": amount, "metadata": dict(metadata)}
        return await self._read(self._api.refunds.create_async(params, {"idempotency_key": key}), Refund)

    async def portal(self, customer: str, *, return_url: str, key: str) -> str:
        """Return the address of a billing portal for this customer; it is valid for minutes."""
        params: Any = {"customer": customer, "return_url": return_url}
        session = self._api.billing_portal.sessions.create_async(params, {"idempotency_key": key})
        return (await self._read(session, _Addressed)).url

    @property
    def _api(self) -> Any:
        if self._sdk is None:
            self._sdk = _client(self._key, self.base_url, self._timeout, self._retries)
        return self._sdk.v1

    async def _read(self, call: Awaitable[Any], kind: type[Any]) -> Any:
        import stripe

        try:
            result = await call
        except (stripe.APIConnectionError, stripe.RateLimitError) as error:
            raise StripeAway(_message(error)) from error
        except stripe.StripeError as error:
            # A fault of theirs, and a key that another request is still using, may end otherwise the next time.
            if error.http_status is None or error.http_status >= 500 or error.http_status == 409:
                raise StripeAway(_message(error)) from error
            raise StripeRefused(error.code or type(error).__name__, _message(error), getattr(error, "param", None)) from error
        try:
            return msgspec.convert(result.to_dict(), kind, strict=False)
        except msgspec.ValidationError as error:
            raise StripeAway(f"an answer that is not as documented: {error}") from error


class _ChargeOf(msgspec.Struct):
    payment_intent: str | None = None


def _message(error: Any) -> str:
    """Return Stripe's message in one line: the SDK's own text on a lost connection is for developers."""
    return str(error.user_message or type(error).__name__).partition("\n")[0]


def _client(key: str, base_url: str, timeout: float, retries: int) -> StripeClient:
    """Return the SDK's client over httpx2. Imported late: it is large, and few processes call Stripe."""
    import stripe

    class Http(stripe.HTTPClient):
        name = "httpx2"

        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType]
            self._web = httpx2.AsyncClient(verify=certificates(), timeout=timeout, trust_env=False)

        async def request_async(
            self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
        ) -> tuple[Any, int, Mapping[str, str]]:
            try:
                response = await self._web.request(method, url, headers=headers, content=post_data or b"")
            except httpx2.HTTPError as error:
                raise stripe.APIConnectionError(f"Stripe: {type(error).__name__}", should_retry=True) from error
            if len(response.content) > LIMIT:
                raise stripe.APIConnectionError(f"Stripe: an answer of {len(response.content)} bytes", should_retry=False)
            return response.content, response.status_code, response.headers

        def sleep_async(self, secs: float) -> Awaitable[None]:
            return asyncio.sleep(secs)

        async def close_async(self) -> None:
            await self._web.aclose()

    stripe.enable_telemetry = False
    return stripe.StripeClient(
        key,
        stripe_version=VERSION,
        base_addresses={"api": base_url},
        http_client=Http(),
        max_network_retries=retries,
    )
