"""ZarinPal as a gateway: rials only, and what counts is what ZarinPal says when we ask."""

from __future__ import annotations

from datetime import timedelta

import structlog

from vetrina.clients.zarinpal import NOT_PAID, State, ZarinPal, ZarinPalAway, ZarinPalRefused
from vetrina.core.services import Services
from vetrina.core.settings import Settings
from vetrina.payments.model import Checkout, GatewayFailed, NotRefundable, PaymentRow, Returned, Said, Word

log = structlog.get_logger("vetrina.payments")

TIMEOUT = 8.0
"""Seconds that one call may take; a buyer is waiting."""
CURRENCY = "IRR"


class ZarinPalGateway:
    """Fits `gateways.Gateway`."""

    name = "zarinpal"
    title = "ZarinPal"
    about = "Iranian bank cards"
    lives = timedelta(minutes=30)

    def __init__(self, services: Services, *, timeout: float = TIMEOUT) -> None:
        settings = services.settings
        self._client = ZarinPal(settings.zarinpal_merchant_id, settings.zarinpal_api_base, timeout=timeout)
        self._callback = f"{settings.address}/payments/zarinpal/callback"

    def available(self, settings: Settings) -> bool:
        """With ZARINPAL_MERCHANT_ID."""
        return bool(settings.zarinpal_merchant_id)

    def takes(self, currency: str) -> bool:
        """Rials. A toman, ten of them, is no ISO currency, and a mistake of ten times waits there."""
        return currency == CURRENCY

    async def begin(self, payment: PaymentRow) -> Checkout:
        """A new authority. One whose answer was lost stays unknown to everybody, so nobody pays it."""
        if not self.takes(payment.currency):
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

    async def ask(self, payment: PaymentRow, ref: str) -> Word:
        """Verify with our own amount. What was verified before (101) is as good as the first time: the row decides,
        once, whether anything is granted for it. Verifying is also what keeps ZarinPal from paying back."""
        try:
            found = await self._client.verify(ref, amount=payment.amount)
            return Word(Said.PAID, reference=str(found.ref_id), card_mask=found.card_pan)
        except ZarinPalRefused as refused:
            if refused.code != NOT_PAID:
                log.error("zarinpal does not verify", code=refused.code, why=str(refused), payment=str(payment.id))
                raise GatewayFailed from refused
        except ZarinPalAway as away:
            raise GatewayFailed(f"ZarinPal does not answer just now ({away}).") from away
        return await self._unpaid(ref)

    @property
    def sites(self) -> list[str]:
        """ZarinPal's own."""
        return [self._client.site]

    async def leave(self, ref: str) -> None:
        """ZarinPal lets nobody close an authority; it lapses by itself."""

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> Returned:
        """ZarinPal pays everything back or nothing, and within half an hour; asked again it says that it has."""
        if amount != payment.amount:
            raise NotRefundable("ZarinPal pays back whole payments only.")
        try:
            if await self._client.inquiry(ref) != State.REVERSED:
                await self._client.reverse(ref)
        except ZarinPalAway as away:
            raise GatewayFailed(f"ZarinPal does not answer just now ({away}).") from away
        except ZarinPalRefused as refused:
            raise NotRefundable(f"ZarinPal does not pay this back: {refused}") from refused
        return Returned(f"reverse {ref}", "succeeded")

    async def unverified(self) -> list[str]:
        """Authorities that the bank took money for and nobody asked about. Raises GatewayFailed (503)."""
        try:
            return [each.authority for each in await self._client.unverified()]
        except (ZarinPalAway, ZarinPalRefused) as failed:
            raise GatewayFailed(f"ZarinPal does not answer just now ({failed}).") from failed

    async def _unpaid(self, ref: str) -> Word:
        """Not paid: still on the way, or over."""
        try:
            state = await self._client.inquiry(ref)
        except (ZarinPalAway, ZarinPalRefused) as failed:
            raise GatewayFailed(f"ZarinPal does not answer just now ({failed}).") from failed
        if state == State.FAILED:
            return Word(Said.DECLINED, reason="The bank did not take the payment, or it was left. Nothing was charged.")
        if state == State.REVERSED:
            return Word(Said.DECLINED, reason="ZarinPal has paid the money back.")
        # PAID and VERIFIED changed since we asked: the next one who asks will hear.
        return Word(Said.WAITING)
