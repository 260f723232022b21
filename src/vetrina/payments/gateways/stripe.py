"""Stripe as a gateway: Checkout for one-off purchases and plans.

The result is what Stripe's API returns, not what a redirect claims.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from vetrina.clients.stripe.client import (
    CURRENCIES,
    LIVE,
    PAGES,
    Charge,
    Intent,
    Line,
    Session,
    Stripe,
    StripeAway,
    StripeRefused,
)
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.payments.gateways import stripe_customers as customers
from vetrina.payments.model import Checkout, GatewayFailed, GatewayResult, GatewayStatus, NotRefundable, PaymentRow, RefundResult
from vetrina.web.i18n import N_
from vetrina.web.money import BadAmount, UnknownCurrency, to_stripe

Result = TypeVar("Result")

log = structlog.get_logger("vetrina.payments")

TIMEOUT = 8.0
"""Timeout of one attempt in seconds; a buyer is waiting."""


class StripeGateway:
    """A `Gateway`."""

    name = "stripe"
    title = N_("Card")
    about = N_("Through Stripe")
    checkout_lifetime = timedelta(hours=1)
    """Stripe allows from half an hour to a day."""

    def __init__(self, services: Services, *, timeout: float = TIMEOUT) -> None:
        settings = services.settings
        self.client = Stripe(settings.stripe_api_key, settings.stripe_api_base, timeout=timeout)
        self._services = services
        self._back = f"{settings.address}/payments/stripe/return"

    def available(self, settings: Settings) -> bool:
        """Return whether STRIPE_API_KEY is set."""
        return bool(settings.stripe_api_key)

    def accepts(self, currency: str) -> bool:
        """Return whether Stripe charges in this currency; amounts are converted to the units in which it counts."""
        return currency in CURRENCIES

    @property
    def origins(self) -> Sequence[str]:
        """Return Stripe's origins, or a fake's own."""
        if self.client.base_url == LIVE:
            return PAGES
        return ("{0.scheme}://{0.netloc}".format(urlsplit(self.client.base_url)),)

    async def open_checkout(self, payment: PaymentRow) -> Checkout:
        """Open a Checkout Session for the account's customer. The payment's id is the idempotency key."""
        if not self.accepts(payment.currency):
            raise GatewayFailed(f"Stripe does not take {payment.currency}. Nothing was charged.")
        try:
            amount = to_stripe(payment.amount, payment.currency)
        except BadAmount as error:
            raise GatewayFailed(f"{error} Nothing was charged.") from error
        account = AccountId(payment.account_id)
        try:
            session = await self._with_customer(account, lambda customer: self._open(payment, amount, customer))
        except StripeAway as away:
            log.warning("stripe is away", why=str(away))
            raise GatewayFailed("Stripe does not answer just now. Nothing was charged.") from away
        except StripeRefused as refused:
            log.error("stripe refuses our requests", code=refused.code, why=str(refused))
            raise GatewayFailed("Stripe does not take this payment. Nothing was charged.") from refused
        if not session.url:
            raise GatewayFailed("Stripe has no page for this payment. Nothing was charged.")
        return Checkout(session.id, session.url)

    async def _open(self, payment: PaymentRow, amount: int, customer: str) -> Session:
        plan = payment.kind == "plan"
        return await self.client.checkout(
            "subscription" if plan else "payment",
            Line(payment.description, amount, payment.currency, monthly=plan),
            customer=customer,
            reference=str(payment.id),
            metadata={"vetrina_payment": str(payment.id), "vetrina_account": str(payment.account_id)},
            success_url=self._back + "?session={CHECKOUT_SESSION_ID}",
            cancel_url=f"{payment.callback_url}?left=1",
            expires_at=int(payment.expires_at.timestamp()),
            key=f"checkout {payment.id} {customer}",
        )

    async def _with_customer(self, account: AccountId, call: Callable[[str], Awaitable[Result]]) -> Result:
        """Call with the account's customer, or with a new one where that was deleted at Stripe."""
        customer = await customers.of(self._services, self.client, account)
        try:
            return await call(customer)
        except StripeRefused as refused:
            if not refused.customer_missing:
                raise
            log.warning("a customer was deleted at stripe", account=str(account), customer=customer)
            return await call(await customers.replace(self._services, self.client, account, customer))

    async def fetch_result(self, payment: PaymentRow, ref: str) -> GatewayResult:
        """Return the session's result.

        A paid session with another amount than the payment's is an error that needs an operator.
        """
        try:
            session = await self.client.session(ref)
        except (StripeAway, StripeRefused) as failed:
            raise GatewayFailed(f"Stripe does not answer just now ({failed}).") from failed
        if not same_amount(payment, session.amount_total, session.currency):
            log.error("a checkout has another sum", payment=str(payment.id), amount=session.amount_total)
            raise GatewayFailed("Stripe names another sum for this payment.")
        return told(session)

    async def refund(self, payment: PaymentRow, ref: str, amount: int, key: str) -> RefundResult:
        """Refund a part of the payment intent."""
        try:
            intent = payment.reference or ""
            if not intent.startswith("pi_"):
                payment_intent = (await self.client.session(ref)).payment_intent
                intent = payment_intent.id if isinstance(payment_intent, Intent) else payment_intent or ""
            if not intent:
                raise NotRefundable("This payment renews by itself: its invoices are paid back at Stripe.")
            marks = {"vetrina_refund": key, "vetrina_payment": str(payment.id), "vetrina_account": str(payment.account_id)}
            charged = to_stripe(amount, payment.currency)
            refund = await self.client.refund(intent, amount=charged, metadata=marks, key=f"refund {key}")
        except BadAmount as error:
            raise NotRefundable(str(error)) from error
        except StripeAway as away:
            raise GatewayFailed(f"Stripe does not answer just now ({away}).") from away
        except StripeRefused as refused:
            raise NotRefundable(f"Stripe does not pay this back: {refused}") from refused
        return RefundResult(refund.id, refund.status, refund.failure_reason)

    async def close_checkout(self, ref: str) -> None:
        """Close an open checkout, so that it cannot be paid later. Raises GatewayFailed (503)."""
        try:
            await self.client.expire(ref, key=f"expire {ref}")
        except StripeRefused as refused:
            log.info("a checkout was over already", ref=ref, why=str(refused))
        except StripeAway as away:
            raise GatewayFailed from away

    async def portal(self, account: AccountId, *, return_url: str) -> str:
        """Return a new address of the billing portal for the account. Raises GatewayFailed (503)."""
        try:
            return await self._with_customer(
                account, lambda customer: self.client.portal(customer, return_url=return_url, key=f"portal {new_id()}")
            )
        except (StripeAway, StripeRefused) as failed:
            log.warning("no billing portal", why=str(failed))
            raise GatewayFailed("Stripe does not answer just now. Please try again in a moment.") from failed


def same_amount(payment: PaymentRow, amount: int | None, currency: str | None) -> bool:
    """Return whether an amount of Stripe's, in its units, is the payment's."""
    try:
        return (amount, (currency or "").upper()) == (to_stripe(payment.amount, payment.currency), payment.currency)
    except (BadAmount, UnknownCurrency):
        return False


def told(session: Session) -> GatewayResult:
    """Return the result that a session describes.

    A subscription's reference is the subscription, any other's the payment intent.
    """
    if session.payment_status in {"paid", "no_payment_required"}:
        intent = session.payment_intent
        charge = intent.latest_charge if isinstance(intent, Intent) else None
        return GatewayResult(
            GatewayStatus.PAID,
            reference=session.subscription or (intent.id if isinstance(intent, Intent) else intent) or session.id,
            card_mask=mask(charge) if isinstance(charge, Charge) else None,
        )
    return GatewayResult(GatewayStatus.EXPIRED if session.status == "expired" else GatewayStatus.WAITING)


def mask(charge: Charge) -> str | None:
    """Return the card in masked form: visa **** 4242."""
    card = charge.payment_method_details.card if charge.payment_method_details else None
    return f"{card.brand or 'card'} **** {card.last4}" if card and card.last4 else None
