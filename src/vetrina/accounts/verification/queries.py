"""SQL of one-time codes and of what they open."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.accounts.verification.model import Addressee, Entrant
from vetrina.core.database.connection import Statement

# No row when the target's guesses are used up: a code would be of no use then.
KEEP = Statement(
    UUID,
    """
    insert into accounts.verifications as v (kind, purpose, target, id, code_hash, expires_at)
    values (%(kind)s, %(purpose)s, %(target)s, %(id)s, %(hash)s, now() + make_interval(secs => %(life)s))
    on conflict (target, purpose, kind) do update
       set id = excluded.id, code_hash = excluded.code_hash, expires_at = excluded.expires_at, consumed_at = null,
           attempt_count = case when v.attempts_since < now() - interval '1 hour' then 0 else v.attempt_count end
     where v.attempt_count < %(attempts)s or v.attempts_since < now() - interval '1 hour'
    returning v.id
    """,
)

# One step: the row's lock lets guesses in one by one, each sees what the one before has counted or used up.
JUDGE = Statement(
    bool,
    """
    update accounts.verifications v
       set consumed_at = case when v.code_hash = any(%(hashes)s) then now() end,
           attempt_count = v.attempt_count + case when v.code_hash = any(%(hashes)s) then 0 else 1 end,
           attempts_since = case when v.code_hash = any(%(hashes)s) then v.attempts_since else now() end
     where v.target = %(target)s and v.purpose = %(purpose)s and v.kind = %(kind)s
       and v.consumed_at is null and v.expires_at > now() and v.attempt_count < %(attempts)s
    returning v.consumed_at is not null as is_right
    """,
)

CLOSED_FOR = Statement(
    int,
    """
    select ceil(extract(epoch from attempts_since + interval '1 hour' - now()))::integer as seconds
      from accounts.verifications
     where target = %(target)s and purpose = %(purpose)s and kind = %(kind)s
       and attempt_count >= %(attempts)s and attempts_since >= now() - interval '1 hour'
    """,
)

FORGET = Statement(
    NoneType,
    """
    delete from accounts.verifications
     where expires_at < now() and updated_at < now() - interval '1 hour' and attempts_since < now() - interval '1 hour'
    """,
)

ADDRESSEE = Statement(
    Addressee,
    """
    select a.id, coalesce(u.name, v.business_name) as name, a.email, a.phone,
           a.email_verified_at is not null as email_verified, a.phone_verified_at is not null as phone_verified
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.kind = %(kind)s and (a.email = %(email)s::text or a.phone = %(phone)s::text) and a.is_active
    """,
)
ADDRESSEE_BY_ID = Statement(
    Addressee,
    """
    select a.id, coalesce(u.name, v.business_name) as name, a.email, a.phone,
           a.email_verified_at is not null as email_verified, a.phone_verified_at is not null as phone_verified
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.id = %(account)s and a.is_active
    """,
)

VERIFIED = Statement(
    UUID,
    """
    update accounts.accounts
       set email_verified_at = coalesce(email_verified_at, case when email = %(email)s::text then now() end),
           phone_verified_at = coalesce(phone_verified_at, case when phone = %(phone)s::text then now() end)
     where kind = %(kind)s and (email = %(email)s::text or phone = %(phone)s::text) and is_active
    returning id
    """,
)

# Locks the account, so that a password that is being reset lets nobody in any more.
ENTRANT = Statement(
    Entrant,
    """
    select a.id, a.kind, a.is_active,
           encode(sha256(convert_to(coalesce(a.password_hash, ''), 'UTF8')), 'hex') as fingerprint,
           exists (select from accounts.second_factors f
                    where f.account_id = a.id and f.confirmed_at is not null) as second_factor
      from accounts.accounts a where a.id = %(account)s
       for update of a
    """,
)

# A code proves who one is only where the number was confirmed before: whoever typed a stranger's number at
# registration also chose the password.
BY_PHONE = Statement(
    UUID,
    """
    select id from accounts.accounts
     where kind = %(kind)s and phone = %(phone)s and phone_verified_at is not null and is_active
    """,
)

# The sessions are ended by a statement after this one: it sees one that was being opened while this waited for the account.
RESET = Statement(
    UUID,
    """
    with proven as (
      select id, email_verified_at is null and email = %(email)s::text
                 or phone_verified_at is null and phone = %(phone)s::text as for_the_first_time
        from accounts.accounts
       where kind = %(kind)s and (email = %(email)s::text or phone = %(phone)s::text) and is_active
         for update
    ), untrusted as (
      -- Until now nobody had shown that the address is theirs: what the one who registered it set up goes too.
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
