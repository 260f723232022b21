"""The Stripe customer of an account: the linked one, else one created at the first checkout."""

from __future__ import annotations

import hashlib

from vetrina.clients.stripe.client import Stripe
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services
from vetrina.payments.gateways import queries
from vetrina.payments.model import CustomerInfo, GatewayFailed


async def of(services: Services, client: Stripe, account: AccountId) -> str:
    """Return the customer's id.

    Raises StripeAway, StripeRefused, GatewayFailed (503) if Stripe returns another account's customer.

    The idempotency key is the account with the data sent, so that a second process, or one after a crash, gets the same
    customer.
    """
    async with services.db.read() as tx:
        info = await tx.fetch_one(queries.WHO, account=account)
    if info.ref is not None:
        return info.ref
    customer = info.linked or await _create(client, account, info)
    async with services.db.tx() as tx:
        await tx.execute(queries.INSERT_CUSTOMER, account=account, ref=customer)
    return await _stored(services, account)


async def replace(services: Services, client: Stripe, account: AccountId, former: str) -> str:
    """Return the id of a customer in place of `former`, which was deleted at Stripe; the former id is kept.

    Raises StripeAway, StripeRefused.
    """
    async with services.db.read() as tx:
        info = await tx.fetch_one(queries.WHO, account=account)
    if info.ref is not None and info.ref != former:
        return info.ref  # another process replaced it
    customer = await _create(client, account, info, former)
    async with services.db.tx() as tx:
        await tx.execute(queries.REPLACE_CUSTOMER, account=account, ref=customer, former=former)
    return await _stored(services, account)


async def _stored(services: Services, account: AccountId) -> str:
    async with services.db.read() as tx:
        ref = (await tx.fetch_one(queries.WHO, account=account)).ref
    if ref is None:
        raise GatewayFailed("Stripe answered with a customer of another account. Nothing was charged.")
    return ref


async def _create(client: Stripe, account: AccountId, info: CustomerInfo, former: str = "") -> str:
    about = hashlib.sha256(f"{info.email}\n{info.name}".encode()).hexdigest()[:16]
    key = f"customer {account} {about} {former}".rstrip()
    return await client.customer(account=str(account), email=info.email, name=info.name, key=key)
