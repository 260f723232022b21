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
             case %(channel)s when 'email' then email_verified_at else phone_verified_at end as verified_at,
             case when %(channel)s = 'email' and phone_verified_at is not null then phone
                  when %(channel)s = 'phone' and email_verified_at is not null then email end as other
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
           case when before.verified_at is not null or before.other is not null then now() + make_interval(days => %(days)s) end
      from before join changed on changed.id = before.id
    returning id, channel, case when old_verified_at is not null then old_value end as old_value, undo_until,
              (select other from before)
    """,
)

# The former owner gets the account back. What was set up after the change goes with it: later changes of either channel, whose
# own links would give the account away again, and whatever was added in the days before it.
UNDO_CHANGE = Statement(
    UUID,
    """
    with chosen as (
      select account_id, id, created_at from accounts.identifier_changes
       where account_id = %(account)s and id = %(id)s and undone_at is null and undo_until > now()
    ), undone as (
      update accounts.identifier_changes c set undone_at = now() from chosen
       where c.account_id = chosen.account_id and c.undone_at is null
         and (c.id = chosen.id or c.created_at > chosen.created_at
              or c.old_verified_at is null and c.created_at > chosen.created_at - make_interval(days => %(days)s))
      returning c.id, c.channel, c.created_at, case when c.old_verified_at is not null then c.old_value end as value,
                c.old_verified_at
    ), earliest as (
      select distinct on (channel) channel, value, old_verified_at from undone order by channel, created_at, id
    ), factor as (
      delete from accounts.second_factors f using chosen
       where f.account_id = chosen.account_id and f.confirmed_at > chosen.created_at
    ), linked as (
      delete from accounts.identities i using chosen
       where i.account_id = chosen.account_id and i.created_at > chosen.created_at - make_interval(days => %(days)s)
    )
    update accounts.accounts a
       set password_hash = null,
           email = case when e.channel is not null then e.value else a.email end,
           email_verified_at = case when e.channel is not null then e.old_verified_at else a.email_verified_at end,
           phone = case when p.channel is not null then p.value else a.phone end,
           phone_verified_at = case when p.channel is not null then p.old_verified_at else a.phone_verified_at end
      from chosen
      left join earliest e on e.channel = 'email'
      left join earliest p on p.channel = 'phone'
     where a.id = chosen.account_id
    returning a.id
    """,
)

UNDO_IDENTITY = Statement(
    UUID,
    """
    with unlinked as (
      delete from accounts.identities
       where account_id = %(account)s and id = %(id)s and created_at > now() - make_interval(days => %(days)s)
      returning account_id
    )
    update accounts.accounts a set password_hash = null from unlinked where a.id = unlinked.account_id
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
