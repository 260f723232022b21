"""The sandbox gateway: a checkout page of ours where one plays the bank. No money moves."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from vetrina.core.settings import Settings
from vetrina.payments.model import Checkout, PaymentRow, Returned, Said, Word

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


class Sandbox:
    """Fits `gateways.Gateway`. Whoever knows a checkout's address may end it, so the address cannot be guessed."""

    name = "sandbox"
    title = "Test checkout"
    about = "Takes no money"
    lives = timedelta(hours=1)
    sites = ()

    def available(self, settings: Settings) -> bool:
        """Return whether VETRINA_SANDBOX, or else development, turns it on."""
        return settings.sandbox

    def takes(self, currency: str) -> bool:
        """Play money is of any currency."""
        return True

    async def begin(self, payment: PaymentRow) -> Checkout:
        """A fresh page; one that was begun before and not noted stays unknown to everybody."""
        token = secrets.token_urlsafe(24)
        return Checkout(token, f"/payments/sandbox/{token}")

    async def leave(self, ref: str) -> None:
        """Its page goes on working: money that comes late is still money."""

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> Returned:
        """Play money comes back at once."""
        return Returned(f"TEST-{key}", "succeeded")

    async def ask(self, payment: PaymentRow, ref: str) -> Word:
        """The page tells at once, so whoever was told nothing is still waiting."""
        return Word(Said.WAITING)


def is_token(text: str) -> bool:
    """Whether this can be the name of a checkout."""
    return _TOKEN.fullmatch(text) is not None


def word(outcome: str, payment: PaymentRow) -> Word | None:
    """What the bank says when this button was pressed; None for a button that is not there."""
    if outcome == "paid":
        return Word(Said.PAID, reference=f"TEST-{payment.id.hex[-10:].upper()}")
    if outcome == "declined":
        return Word(Said.DECLINED, reason="The test card was declined. Nothing was charged.")
    return Word(Said.CANCELLED) if outcome == "cancelled" else None
