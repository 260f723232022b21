"""SQL of notifications."""

from __future__ import annotations

from vetrina.accounts.notifications.model import Recipient
from vetrina.core.database.connection import Statement

RECIPIENT = Statement(
    Recipient,
    """
    select a.id, coalesce(u.name, v.business_name) as name, a.email, a.phone,
           a.email_verified_at is not null as email_verified, a.phone_verified_at is not null as phone_verified,
           a.language
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.kind = %(kind)s and (a.email = %(email)s::text or a.phone = %(phone)s::text) and a.is_active
    """,
)
RECIPIENTS = Statement(
    Recipient,
    """
    select a.id, coalesce(u.name, v.business_name) as name, a.email, a.phone,
           a.email_verified_at is not null as email_verified, a.phone_verified_at is not null as phone_verified,
           a.language
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.kind = any(%(kinds)s::text[]) and (a.email = %(email)s::text or a.phone = %(phone)s::text) and a.is_active
     order by a.kind
    """,
)
RECIPIENT_BY_ID = Statement(
    Recipient,
    """
    select a.id, coalesce(u.name, v.business_name) as name, a.email, a.phone,
           a.email_verified_at is not null as email_verified, a.phone_verified_at is not null as phone_verified,
           a.language
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.id = %(account)s and a.is_active
    """,
)
