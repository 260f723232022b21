"""SQL of links between accounts and customers."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.stripe_mirror.model import AccountMatch, Link, Suggestion

LINKS = Statement(
    Link,
    """
    select l.account_id, l.customer_id, l.created_at, l.origin, l.is_primary, a.email as account_email, a.kind as account_kind,
           c.email as customer_email, c.name as customer_name
      from stripe_mirror.links l join accounts.accounts a on a.id = l.account_id
      left join stripe_mirror.customers c on c.id = l.customer_id
     where %(customer)s::text is null or l.customer_id = %(customer)s
     order by l.created_at desc, l.customer_id limit %(limit)s
    """,
)
SUGGESTIONS = Statement(
    Suggestion,
    """
    select c.id as customer_id, c.email as customer_email, c.name as customer_name, a.id as account_id,
           a.kind as account_kind, a.email_verified_at is not null as verified,
           (select count(*) from stripe_mirror.customers o
             where lower(o.email) = lower(c.email) and o.deleted_at is null) as customers,
           (select count(*) from accounts.accounts o where o.email = lower(c.email)) as accounts
      from accounts.accounts a join stripe_mirror.customers c on lower(c.email) = a.email
     where c.deleted_at is null and a.is_active and a.erased_at is null
       and not exists (select from stripe_mirror.links l where l.customer_id = c.id)
     order by c.stripe_created_at desc nulls last, c.id, a.id limit %(limit)s
    """,
)
INSERT_LINK = Statement(
    NoneType,
    """
    insert into stripe_mirror.links (account_id, customer_id, is_primary)
    values (%(account)s, %(customer)s, not exists (select from stripe_mirror.links where account_id = %(account)s and is_primary))
    on conflict (customer_id) do nothing""",
)
DELETE_LINK = Statement(
    UUID, "delete from stripe_mirror.links where customer_id = %(customer)s and origin <> 'checkout' returning account_id"
)
PROMOTE_LINK = Statement(
    NoneType,
    """
    update stripe_mirror.links l set is_primary = true
     where l.account_id = %(account)s
       and l.customer_id = (select o.customer_id from stripe_mirror.links o where o.account_id = %(account)s
                             order by o.is_primary desc, o.created_at, o.customer_id limit 1)
    """,
)
LINK_EXISTS = Statement(bool, "select exists (select from stripe_mirror.links where customer_id = %(customer)s)")
CUSTOMER_EXISTS = Statement(bool, "select exists (select from stripe_mirror.customers where id = %(customer)s)")
MATCHING_ACCOUNTS = Statement(
    AccountMatch,
    """
    select id, kind, email from accounts.accounts
     where id::text = %(reference)s or email = lower(%(reference)s) order by kind, id
    """,
)
