"""ZarinPal as a gateway: rials only. The result is what ZarinPal's API returns, not what a redirect claims."""

from __future__ import annotations

from datetime import timedelta

import structlog

from vetrina.clients.zarinpal import NOT_PAID, State, ZarinPal, ZarinPalAway, ZarinPalRefused
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.payments.model import Checkout, GatewayFailed, GatewayResult, GatewayStatus, NotRefundable, PaymentRow, RefundResult
from vetrina.web.i18n import N_

log = structlog.get_logger("vetrina.payments")

TIMEOUT = 8.0
"""Timeout of one call in seconds; a buyer is waiting."""
CURRENCY = "IRR"


class ZarinPalGateway:
    """A `Gateway`."""

    name = "zarinpal"
    title = N_("ZarinPal")
    about = N_("Iranian bank cards")
    checkout_lifetime = timedelta(minutes=30)

    def __init__(self, services: Services, *, timeout: float = TIMEOUT) -> None:
        settings = services.settings
        self._client = ZarinPal(settings.zarinpal_merchant_id, settings.zarinpal_api_base, timeout=timeout)
        self._callback = f"{settings.address}/payments/zarinpal/callback"

    def available(self, settings: Settings) -> bool:
        """Return whether ZARINPAL_MERCHANT_ID is set."""
        return bool(settings.zarinpal_merchant_id)

    def accepts(self, currency: str) -> bool:
        """Return whether the currency is IRR.

        A toman is ten rials and no ISO currency: accepting it would risk a factor of ten.
        """
        return currency == CURRENCY

    async def open_checkout(self, payment: PaymentRow) -> Checkout:
        """Request a new authority. One whose response was lost is known to no one, so it is never paid."""
        if not self.accepts(payment.currency):
            raise GatewayFailed("ZarinPal takes rials only. Nothing was charged.")
        try:
            authority = await self._client.request(
                amount=payment.amount, callback_url=self._callback, description=payment.description, order=str(payment.id)
            )
        except ZarinPalAway as away:
            log.warning("zarinpal is away", why=str(away))
            raise GatewayFailed("ZarinPal does not answer just now. Nothing was charged.") from away
        except ZarinPalRefused as refused:
            log.error("zarinpal refuses our requests", code=refused.code, why=str(refused))
            raise GatewayFailed("ZarinPal does not take this payment. Nothing was charged.") from refused
        return Checkout(authority, self._client.page(authority))

    async def fetch_result(self, payment: PaymentRow, ref: str) -> GatewayResult:
        """Verify with our own amount.

        Code 101 (verified before) counts like the first time: the row decides whether anything is granted, once. Verifying
        also keeps ZarinPal from reversing the payment.
        """
        try:
            verified = await self._client.verify(ref, amount=payment.amount)
            return GatewayResult(GatewayStatus.PAID, reference=str(verified.ref_id), card_mask=verified.card_pan)
        except ZarinPalRefused as refused:
            if refused.code != NOT_PAID:
                log.error("zarinpal does not verify", code=refused.code, why=str(refused), payment=str(payment.id))
                raise GatewayFailed from refused
        except ZarinPalAway as away:
            raise GatewayFailed(f"ZarinPal does not answer just now ({away}).") from away
        return await self._unpaid(ref)

    @property
    def origins(self) -> list[str]:
        """Return ZarinPal's origin."""
        return [self._client.site]

    async def close_checkout(self, ref: str) -> None:
        """Do nothing: an authority cannot be closed; it expires."""

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> RefundResult:
        """Reverse the payment.

        ZarinPal reverses whole payments only, within half an hour; a repeated call reports the same reversal.
        """
        if amount != payment.amount:
            raise NotRefundable("ZarinPal pays back whole payments only.")
        try:
            if await self._client.inquiry(ref) != State.REVERSED:
                await self._client.reverse(ref)
        except ZarinPalAway as away:
            raise GatewayFailed(f"ZarinPal does not answer just now ({away}).") from away
        except ZarinPalRefused as refused:
            raise NotRefundable(f"ZarinPal does not pay this back: {refused}") from refused
        return RefundResult(f"reverse {ref}", "succeeded")

    async def unverified(self) -> list[str]:
        """Return authorities that were paid and not verified. Raises GatewayFailed (503)."""
        try:
            return [item.authority for item in await self._client.unverified()]
        except (ZarinPalAway, ZarinPalRefused) as failed:
            raise GatewayFailed(f"ZarinPal does not answer just now ({failed}).") from failed

    async def _unpaid(self, ref: str) -> GatewayResult:
        """Return the result of an unpaid authority: waiting, or ended."""
        try:
            state = await self._client.inquiry(ref)
        except (ZarinPalAway, ZarinPalRefused) as failed:
            raise GatewayFailed(f"ZarinPal does not answer just now ({failed}).") from failed
        if state == State.FAILED:
            return GatewayResult(
                GatewayStatus.DECLINED, reason="The bank did not take the payment, or it was left. Nothing was charged."
            )
        if state == State.REVERSED:
            return GatewayResult(GatewayStatus.DECLINED, reason="ZarinPal has paid the money back.")
        # PAID and VERIFIED changed since the request: the next poll gets it.
        return GatewayResult(GatewayStatus.WAITING)
