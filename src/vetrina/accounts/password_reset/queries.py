"""SQL of password resets."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database.connection import Statement

# The sessions are ended by a statement after this one: it sees a session that was being opened while this one waited for the
# account's lock.
RESET_PASSWORD = Statement(
    UUID,
    """
    with proven as (
      select id, email_verified_at is null and email = %(email)s::text
                 or phone_verified_at is null and phone = %(phone)s::text as for_the_first_time
        from accounts.accounts
       where kind = %(kind)s and (email = %(email)s::text or phone = %(phone)s::text) and is_active
         for update
    ), untrusted as (
      -- The identifier was not confirmed before: what its registrant set up is removed.
      delete from accounts.second_factors f using proven p where f.account_id = p.id and p.for_the_first_time
    )
    update accounts.accounts a
       set password_hash = %(password_hash)s,
           email_verified_at = coalesce(a.email_verified_at, case when a.email = %(email)s::text then now() end),
           phone_verified_at = coalesce(a.phone_verified_at, case when a.phone = %(phone)s::text then now() end)
      from proven p where a.id = p.id
    returning a.id
    """,
)
