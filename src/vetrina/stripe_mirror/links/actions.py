"""Links between Stripe customers and accounts, made by an operator or at checkout; an e-mail address only suggests one."""

from __future__ import annotations

from uuid import UUID

from vetrina.core import audit
from vetrina.core.database.connection import Tx
from vetrina.stripe_mirror.links import queries
from vetrina.stripe_mirror.model import CustomerInUse, CustomerLinked, Link, NoSuchAccount, NoSuchCustomer, SeveralAccounts


async def link(tx: Tx, account: UUID, customer: str) -> Link:
    """Link a customer to an account. Idempotent.

    Raises CustomerLinked (409) if another account has it, NoSuchCustomer (404) if the mirror has no such customer.
    """
    if not await tx.fetch_one(queries.CUSTOMER_EXISTS, customer=customer):
        raise NoSuchCustomer
    return await claim(tx, account, customer)


async def claim(tx: Tx, account: UUID, customer: str) -> Link:
    """Link a customer that Vetrina created for this account; the mirror may not have it yet. Raises CustomerLinked (409)."""
    new = await tx.execute(queries.INSERT_LINK, account=account, customer=customer)
    existing = await tx.fetch_one(queries.LINKS, customer=customer, limit=1)
    if existing.account_id != account:
        raise CustomerLinked
    if new:
        await audit.record(tx, "customer_linked", account, resource=("stripe_customer", customer))
    return existing


async def unlink(tx: Tx, customer: str) -> bool:
    """Remove a customer's link; return whether there was one. Another link of the account becomes the primary one.

    Raises CustomerInUse (409) if a checkout uses the customer.
    """
    account = await tx.fetch_optional(queries.DELETE_LINK, customer=customer)
    if account is None and await tx.fetch_one(queries.LINK_EXISTS, customer=customer):
        raise CustomerInUse
    if account is not None:
        await tx.execute(queries.PROMOTE_LINK, account=account)
        await audit.record(tx, "customer_unlinked", account, resource=("stripe_customer", customer))
    return account is not None


async def account(tx: Tx, reference: str) -> UUID:
    """Return the id of the account with this id or e-mail address. Raises NoSuchAccount (404), SeveralAccounts (409)."""
    matches = await tx.fetch_all(queries.MATCHING_ACCOUNTS, reference=reference.strip())
    if not matches:
        raise NoSuchAccount
    if len(matches) > 1:
        raise SeveralAccounts
    return matches[0].id
