"""The interface of payment gateways, and the registry of those that this process knows.

To add one, write a class that fits `Gateway` and add it to GATEWAYS; its webhooks and callbacks find the payment by
`queries.BY_REF` and pass the gateway's result to `settlement.actions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol, Self

from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.payments.gateways.sandbox import Sandbox
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.gateways.zarinpal import ZarinPalGateway
from vetrina.payments.model import Checkout, GatewayNotOffered, GatewayResult, NoGateway, PaymentRow, RefundResult


class Gateway(Protocol):
    """A payment gateway. `open_checkout` and `fetch_result` call other servers: never call them inside a transaction."""

    @property
    def name(self) -> str:
        """The gateway's name in the database: stripe, zarinpal, sandbox."""
        ...

    @property
    def title(self) -> str:
        """The name shown to customers."""
        ...

    @property
    def about(self) -> str:
        """A short description shown beside the name."""
        ...

    @property
    def checkout_lifetime(self) -> timedelta:
        """How long a checkout can be paid."""
        ...

    def available(self, settings: Settings) -> bool:
        """Return whether the gateway is set up."""
        ...

    def accepts(self, currency: str) -> bool:
        """Return whether the gateway takes this ISO currency."""
        ...

    async def open_checkout(self, payment: PaymentRow) -> Checkout:
        """Open a checkout.

        `payment.id` is the idempotency key: a repeated call gives the same checkout, or one that cannot be paid.

        The buyer returns to `payment.callback_url`. Raises GatewayFailed (503) with a message for the buyer.
        """
        ...

    @property
    def origins(self) -> Sequence[str]:
        """Origins of the gateway's payment pages, which a form's redirect must be allowed to reach."""
        ...

    async def fetch_result(self, payment: PaymentRow, ref: str) -> GatewayResult:
        """Return the result of checkout `ref`; amount and currency are the payment's own. Raises GatewayFailed (503)."""
        ...

    async def close_checkout(self, ref: str) -> None:
        """Close an open checkout, where the gateway can. Raises GatewayFailed (503)."""
        ...

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> RefundResult:
        """Refund `amount` of a paid payment; `ref` is its checkout. The same `key` is the same refund.

        Raises GatewayFailed (503) if it can be retried, NotRefundable (409) if the gateway refuses.
        """
        ...


GATEWAYS: list[Callable[[Services], Gateway]] = [
    StripeGateway,
    ZarinPalGateway,
    lambda services: Sandbox(services.settings.address),
]
"""Constructors of the gateways, in the order in which they are offered."""


class Gateways:
    """The gateways of a process."""

    def __init__(self, settings: Settings, all_gateways: list[Gateway]) -> None:
        self._settings = settings
        self._known = {gateway.name: gateway for gateway in all_gateways}

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the gateways of `GATEWAYS`."""
        return cls(services.settings, [make(services) for make in GATEWAYS])

    def add(self, gateway: Gateway) -> None:
        """Add a gateway, or replace the one of the same name."""
        self._known[gateway.name] = gateway

    def get(self, name: str) -> Gateway | None:
        """Return the gateway of this name, set up or not: payments begun with it still have to be finished."""
        return self._known.get(name)

    def all(self) -> list[Gateway]:
        """Return every gateway that this process knows, set up or not."""
        return list(self._known.values())

    def offered(self) -> list[Gateway]:
        """Return the gateways that are set up."""
        return [item for item in self._known.values() if item.available(self._settings)]

    def choose(self, name: str | None, currency: str) -> Gateway:
        """Return the gateway to pay `currency` with: the named one, or the first that takes it.

        Raises GatewayNotOffered (422) if it is not set up or does not take the currency, NoGateway (503) if there is
        none.
        """
        offered = self.offered()
        if name is None:
            fitting = next((item for item in offered if item.accepts(currency)), None)
            if fitting is None:
                raise NoGateway
            return fitting
        gateway = next((item for item in offered if item.name == name), None)
        if gateway is None:
            names = ", ".join(item.name for item in offered)
            raise GatewayNotOffered(f"This way to pay is not offered here. What is offered: {names or 'nothing'}.")
        if not gateway.accepts(currency):
            raise GatewayNotOffered(
                "{gateway} does not take {currency}.", values={"gateway": gateway.title, "currency": currency}
            )
        return gateway
