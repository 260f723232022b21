"""SQL of what operators look up."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vetrina.core.database.connection import Statement


class LinkedCustomer(msgspec.Struct, frozen=True):
    """A Stripe customer of an account, and where the link comes from."""

    customer_id: str
    origin: str
    is_primary: bool
    created_at: datetime


OF_ACCOUNT = Statement(
    LinkedCustomer,
    """
    select customer_id, origin, is_primary, created_at from stripe_mirror.links where account_id = %(account)s
     order by not is_primary, created_at
    """,
)
