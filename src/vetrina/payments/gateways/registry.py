"""Gateways: what every way to pay offers, and which ones this process knows.

A new one is a class that fits `Gateway` and a line in GATEWAYS; its webhooks and callbacks find the payment by
`queries.BY_REF` and hand the gateway's word to `actions.hear`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from vetrina.core.services import Services
from vetrina.core.settings import Settings
from vetrina.payments.gateways.sandbox import Sandbox
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.gateways.zarinpal import ZarinPalGateway
from vetrina.payments.model import Checkout, GatewayNotOffered, NoGateway, PaymentRow, Returned, Word


class Gateway(Protocol):
    """A way to pay. `begin` and `ask` may call other people's services, so they are never called inside a transaction."""

    @property
    def name(self) -> str:
        """One of the database's gateways: stripe, zarinpal, sandbox."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def about(self) -> str:
        """A few words beside it on the page."""
        ...

    @property
    def lives(self) -> timedelta:
        """How long a checkout can be paid."""
        ...

    def available(self, settings: Settings) -> bool:
        """Whether it is set up here."""
        ...

    def takes(self, currency: str) -> bool:
        """Whether it takes money of this ISO currency."""
        ...

    async def begin(self, payment: PaymentRow) -> Checkout:
        """Open a checkout. `payment.id` is the idempotency key: begun twice it is one checkout, or one that nobody can pay.

        The buyer comes back to `payment.callback_url`. Raises GatewayFailed (503) with what to tell the buyer.
        """
        ...

    @property
    def sites(self) -> Sequence[str]:
        """Origins where buyers pay, besides our own: what a form that leads there has to be allowed."""
        ...

    async def ask(self, payment: PaymentRow, ref: str) -> Word:
        """What became of the checkout `ref`; amount and currency are the payment's own. Raises GatewayFailed (503)."""
        ...

    async def leave(self, ref: str) -> None:
        """Close a checkout that is still open, where the gateway can. Raises GatewayFailed (503)."""
        ...

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> Returned:
        """Pay `amount` of a paid payment back; `ref` is its checkout. The same `key` again is the same refund.

        Raises GatewayFailed (503) when it may be asked again, NotRefundable (409) when it says no.
        """
        ...


GATEWAYS: list[Callable[[Services], Gateway]] = [StripeGateway, ZarinPalGateway, lambda _: Sandbox()]
"""How each gateway is made, in the order in which they are offered."""


class Gateways:
    """The gateways of a process."""

    def __init__(self, settings: Settings, known: list[Gateway]) -> None:
        self._settings = settings
        self._known = {each.name: each for each in known}

    def add(self, gateway: Gateway) -> None:
        """Know one more, or another one of that name."""
        self._known[gateway.name] = gateway

    def get(self, name: str) -> Gateway | None:
        """The gateway of this name, set up or not: what was begun with it is still to be finished."""
        return self._known.get(name)

    def all(self) -> list[Gateway]:
        """Every gateway that this process knows, set up or not."""
        return list(self._known.values())

    def offered(self) -> list[Gateway]:
        """Those that are set up here."""
        return [each for each in self._known.values() if each.available(self._settings)]

    def choose(self, name: str | None, currency: str) -> Gateway:
        """The gateway to pay `currency` with: the named one, or the first that takes it.

        Raises GatewayNotOffered (422) for one that is not set up or does not take the currency, NoGateway (503) for none.
        """
        offered = self.offered()
        if name is None:
            fitting = next((each for each in offered if each.takes(currency)), None)
            if fitting is None:
                raise NoGateway
            return fitting
        found = next((each for each in offered if each.name == name), None)
        if found is None:
            names = ", ".join(each.name for each in offered)
            raise GatewayNotOffered(f"This way to pay is not offered here. What is offered: {names or 'nothing'}.")
        if not found.takes(currency):
            raise GatewayNotOffered(f"{found.title} does not take {currency}.")
        return found


def gateways(services: Services) -> Gateways:
    """The process's gateways: `services.part(gateways)`."""
    return Gateways(services.settings, [make(services) for make in GATEWAYS])
