"""Whose Stripe customer is whose account: by the customer's id, said by a person. An e-mail address only suggests."""

from __future__ import annotations

from uuid import UUID

from vetrina.core import audit
from vetrina.core.database.connection import Tx
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.model import CustomerLinked, Link, NoSuchAccount, NoSuchCustomer, SeveralAccounts


async def link(tx: Tx, account: UUID, customer: str) -> Link:
    """This customer is this account's. A second time changes nothing.

    Raises CustomerLinked (409) when it is another's, NoSuchCustomer (404) when the mirror has none of this id.
    """
    if not await tx.one(queries.KNOWN_CUSTOMER, customer=customer):
        raise NoSuchCustomer
    return await claim(tx, account, customer)


async def claim(tx: Tx, account: UUID, customer: str) -> Link:
    """The same for a customer that we have made for this account ourselves: the mirror may not know it yet."""
    new = await tx.do(queries.INSERT_LINK, account=account, customer=customer)
    found = await tx.one(queries.LINKS, customer=customer, limit=1)
    if found.account_id != account:
        raise CustomerLinked
    if new:
        await audit.record(tx, "customer_linked", account, resource=("stripe_customer", customer))
    return found


async def unlink(tx: Tx, customer: str) -> bool:
    """Whether there was a link to take away."""
    account = await tx.maybe(queries.DELETE_LINK, customer=customer)
    if account is not None:
        await audit.record(tx, "customer_unlinked", account, resource=("stripe_customer", customer))
    return account is not None


async def account(tx: Tx, who: str) -> UUID:
    """The account with this id or e-mail address. Raises NoSuchAccount (404) and SeveralAccounts (409)."""
    found = await tx.all(queries.ACCOUNTS_OF, who=who.strip())
    if not found:
        raise NoSuchAccount
    if len(found) > 1:
        raise SeveralAccounts
    return found[0].id
