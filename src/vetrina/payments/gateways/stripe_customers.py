"""Stripe's customer of an account: made once, when it first goes to a checkout."""

from __future__ import annotations

import hashlib

from vetrina.clients.stripe.client import Stripe
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.payments.gateways import queries


async def of(services: Services, client: Stripe, account: AccountId) -> str:
    """The customer's id. Raises StripeAway, StripeRefused.

    The key is the account with what is told about it, so that a second process, or one after a crash, finds the same one.
    """
    async with services.db.read() as tx:
        who = await tx.one(queries.WHO, account=account)
    if who.ref is not None:
        return who.ref
    about = hashlib.sha256(f"{who.email}\n{who.name}".encode()).hexdigest()[:16]
    made = await client.customer(account=str(account), email=who.email, name=who.name, key=f"customer {account} {about}")
    async with services.db.tx() as tx:
        await tx.do(queries.INSERT_CUSTOMER, account=account, ref=made)
    async with services.db.read() as tx:
        return (await tx.one(queries.WHO, account=account)).ref or made
