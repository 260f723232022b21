"""SQL of the gateways' customers."""

from __future__ import annotations

from types import NoneType

from vetrina.core.database.connection import Statement
from vetrina.payments.model import CustomerInfo

WHO = Statement(
    CustomerInfo,
    """
    select a.email, u.name, c.ref, l.customer_id as linked
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join payments.customers c on c.account_id = a.id and c.gateway = 'stripe'
      left join (select k.account_id, k.customer_id
                   from stripe_mirror.links k left join stripe_mirror.customers m on m.id = k.customer_id
                  where k.is_primary and m.deleted_at is null) l on l.account_id = a.id
     where a.id = %(account)s
    """,
)
REPLACE_CUSTOMER = Statement(
    NoneType,
    """
    update payments.customers set ref = %(ref)s, former_refs = former_refs || ref
     where account_id = %(account)s and gateway = 'stripe' and ref = %(former)s
    """,
)
# Several processes may insert the same row at once, and either of its two keys may be the first to notice.
INSERT_CUSTOMER = Statement(
    NoneType,
    """
    insert into payments.customers (account_id, gateway, ref) values (%(account)s, 'stripe', %(ref)s)
    on conflict do nothing
    """,
)
