"""Receipts: buyer, seller, items, amounts and refunds."""

from __future__ import annotations

from datetime import datetime

from vetrina.core.database.connection import Tx
from vetrina.core.services import Services
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.model import NotPaid, PaymentRow, Receipt
from vetrina.payments.receipts import queries
from vetrina.web import time_zones
from vetrina.web.i18n import say


async def receipt(services: Services, tx: Tx, payment: PaymentRow) -> Receipt:
    """Return the receipt of a payment, its times in the seller's zone. Raises NotPaid (404) if it was never paid."""
    if payment.paid_at is None:
        raise NotPaid
    row = await tx.fetch_one(queries.RECEIPT, account=payment.account_id, payment=payment.id)
    zone = time_zones.named(row.seller_time_zone) or time_zones.UTC
    paid_at = payment.paid_at.astimezone(zone)
    gateway = services.get(Gateways).get(payment.gateway)
    return Receipt(
        number=_number(payment, paid_at),
        paid_at=paid_at,
        seller_name=row.seller_name or "Vetrina",
        seller_lines=[part.strip() for part in row.seller_address.split(";") if part.strip()],
        tax_number=row.seller_tax_number or None,
        buyer=", ".join(item for item in (row.name, row.email or row.phone) if item) or None,
        description=payment.description,
        asset=payment.asset,
        quantity=payment.quantity,
        amount=payment.amount,
        currency=payment.currency,
        gateway=say(gateway.title) if gateway else payment.gateway.title(),
        card_mask=payment.card_mask,
        reference=payment.reference,
        refunds=[(datetime.fromisoformat(refund["at"]).astimezone(zone), int(refund["amount"])) for refund in row.refunds],
        disputed=payment.disputed,
    )


def _number(payment: PaymentRow, paid_at: datetime) -> str:
    """Return the receipt's number.

    Sandbox payments take none of the seller's numbers: their receipts are named by the payment.
    """
    if payment.receipt_number is None:
        return f"TEST-{payment.id.hex[-10:].upper()}"
    return f"R-{paid_at:%Y}-{payment.receipt_number:06}"
