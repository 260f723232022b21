"""Erasing an account ends what would outlive it at a gateway: subscriptions and open checkouts."""

from __future__ import annotations

from vetrina.core.database.ids import AccountId
from vetrina.core.jobs.queue import enqueue
from vetrina.core.services import Services
from vetrina.payments.plans import queries


async def end_at_gateways(services: Services, account: AccountId) -> None:
    """Enqueue the end of the account's subscription and of its open checkouts.

    The jobs carry the gateway's references, which the erasure deletes, and are retried until the gateway has answered.
    Runs again harmlessly: what is over already stays so.
    """
    async with services.db.tx() as tx:
        renewed = await tx.fetch_optional(queries.RENEWED, account=account)
        if renewed is not None and (ref := renewed.subscription_ref) is not None:
            await enqueue(tx, "payments.end_subscription", queue="payments", lock=f"end {ref}", ref=ref)
        for payment in await tx.fetch_all(queries.PENDING, account=account):
            place = {"account": str(account), "payment": str(payment)}
            await enqueue(tx, "payments.close_checkout", queue="payments", lock=f"payment {payment}", **place)
