"""The sandbox gateway: our own checkout page with buttons for each outcome. No money moves."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from vetrina.core.settings.environment import Settings
from vetrina.payments.model import Checkout, GatewayResult, GatewayStatus, PaymentRow, RefundResult
from vetrina.web.i18n import N_

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


class Sandbox:
    """A `Gateway`. Anyone who knows a checkout's address may complete it, so the address cannot be guessed."""

    name = "sandbox"
    title = N_("Test checkout")
    about = N_("Takes no money")
    checkout_lifetime = timedelta(hours=1)

    def __init__(self, address: str) -> None:
        """Set the site's public address, under which the checkout pages are."""
        self._address = address
        self.origins = (address,)

    def available(self, settings: Settings) -> bool:
        """Return whether VETRINA_SANDBOX, or else development, turns it on."""
        return settings.sandbox

    def accepts(self, currency: str) -> bool:
        """Return True: the sandbox takes any currency."""
        return True

    async def open_checkout(self, payment: PaymentRow) -> Checkout:
        """Return a new checkout page. One whose reference was not stored can be found by no one."""
        token = secrets.token_urlsafe(24)
        return Checkout(token, f"{self._address}/payments/sandbox/{token}")

    async def close_checkout(self, ref: str) -> None:
        """Do nothing: the page stays open, and a late payment still counts."""

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> RefundResult:
        """Return an immediate success."""
        return RefundResult(f"TEST-{key}", "succeeded")

    async def fetch_result(self, payment: PaymentRow, ref: str) -> GatewayResult:
        """Return waiting: the page records its outcome itself."""
        return GatewayResult(GatewayStatus.WAITING)


def is_token(text: str) -> bool:
    """Return whether a text can be the name of a checkout."""
    return _TOKEN.fullmatch(text) is not None


def word(outcome: str, payment: PaymentRow) -> GatewayResult | None:
    """Return the result of a button; None for an unknown one."""
    if outcome == "paid":
        return GatewayResult(GatewayStatus.PAID, reference=f"TEST-{payment.id.hex[-10:].upper()}")
    if outcome == "declined":
        return GatewayResult(GatewayStatus.DECLINED, reason="The test card was declined. Nothing was charged.")
    return GatewayResult(GatewayStatus.CANCELLED) if outcome == "cancelled" else None
