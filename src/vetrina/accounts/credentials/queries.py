"""SQL of changes of credentials."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.accounts.credentials.model import AppliedChange
from vetrina.core.database.connection import Statement

# Names the account that the client has proven to be, for the rest of the transaction: a trigger asks for it.
PROVE = Statement(str, "select set_config('accounts.proven', %(account)s::text, true)")

CHANGE_IDENTIFIER = Statement(
    AppliedChange,
    """
    with before as (
      select id, case %(channel)s when 'email' then email else phone end as value,
             case %(channel)s when 'email' then email_verified_at else phone_verified_at end as verified_at
        from accounts.accounts where id = %(account)s for update
    ), changed as (
      update accounts.accounts a
         set email = case %(channel)s when 'email' then %(value)s else a.email end,
             email_verified_at = case %(channel)s when 'email' then now() else a.email_verified_at end,
             phone = case %(channel)s when 'phone' then %(value)s else a.phone end,
             phone_verified_at = case %(channel)s when 'phone' then now() else a.phone_verified_at end
        from before where a.id = before.id
      returning a.id
    )
    insert into accounts.identifier_changes (account_id, id, channel, old_value, new_value, old_verified_at, undo_until)
    select before.id, %(id)s, %(channel)s, before.value, %(value)s, before.verified_at,
           case when before.verified_at is not null then now() + make_interval(days => %(days)s) end
      from before join changed on changed.id = before.id
    returning id, channel, old_value, undo_until
    """,
)

# The former owner gets the account back: what was set up after the change goes with it.
UNDO_CHANGE = Statement(
    UUID,
    """
    with undone as (
      update accounts.identifier_changes set undone_at = now()
       where account_id = %(account)s and id = %(id)s and undone_at is null and undo_until > now()
      returning account_id, channel, old_value, old_verified_at, created_at
    ), factor as (
      delete from accounts.second_factors f using undone
       where f.account_id = undone.account_id and f.confirmed_at > undone.created_at
    ), linked as (
      delete from accounts.identities i using undone where i.account_id = undone.account_id and i.created_at > undone.created_at
    )
    update accounts.accounts a
       set password_hash = null,
           email = case undone.channel when 'email' then undone.old_value else a.email end,
           email_verified_at = case undone.channel when 'email' then undone.old_verified_at else a.email_verified_at end,
           phone = case undone.channel when 'phone' then undone.old_value else a.phone end,
           phone_verified_at = case undone.channel when 'phone' then undone.old_verified_at else a.phone_verified_at end
      from undone where a.id = undone.account_id
    returning a.id
    """,
)

SET_PASSWORD = Statement(NoneType, "update accounts.accounts set password_hash = %(password_hash)s where id = %(account)s")

RECENT_SIGN_IN = Statement(
    UUID,
    """
    select id from accounts.sessions
     where account_id = %(account)s and id = %(session)s and created_at > now() - interval '15 minutes'
    """,
)

EXPORT_CHANGES = Statement(
    dict[str, Any],
    "select to_jsonb(c) - 'account_id' as row from accounts.identifier_changes c where account_id = %(account)s order by id",
)
ERASE_CHANGES = Statement(NoneType, "delete from accounts.identifier_changes where account_id = %(account)s")
