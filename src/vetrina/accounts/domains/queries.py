"""SQL of verified domains."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.accounts.domains.model import DomainDue, DomainRow
from vetrina.core.database.connection import Statement

_DOMAIN = "id, domain, verification_code, status, verified_at, checked_at, answer, created_at"
DOMAINS = Statement(
    DomainRow, f"select {_DOMAIN} from accounts.domain_verifications where account_id = %(account)s order by domain"
)
DOMAIN = Statement(
    DomainRow, f"select {_DOMAIN} from accounts.domain_verifications where account_id = %(account)s and id = %(id)s"
)
# Locked before counting, so that two requests at once cannot both add the last domain.
LOCK_OWNER = Statement(UUID, "select id from accounts.accounts where id = %(account)s for update")
ADD_DOMAIN = Statement(
    DomainRow,
    f"""
    insert into accounts.domain_verifications (account_id, id, domain, verification_code, recheck_at)
    select %(account)s, %(id)s, %(domain)s, %(code)s, now() + interval '5 minutes'
     where (select count(*) from accounts.domain_verifications where account_id = %(account)s) < %(most)s
    returning {_DOMAIN}
    """,
)
REMOVE_DOMAIN = Statement(
    str, "delete from accounts.domain_verifications where account_id = %(account)s and id = %(id)s returning domain"
)

# Taking a due row leases it by moving `recheck_at`; the result is written only if nothing has moved it again.
DOMAINS_DUE = Statement(
    DomainDue,
    """
    update accounts.domain_verifications d set recheck_at = now() + interval '10 minutes'
      from (select account_id, id from accounts.domain_verifications
             where recheck_at <= now() order by recheck_at limit %(limit)s for update skip locked) due
     where d.account_id = due.account_id and d.id = due.id
    returning d.account_id, d.id, d.domain, d.verification_code, d.recheck_at as leased_until
    """,
)
LEASE_DOMAIN = Statement(
    DomainDue,
    """
    update accounts.domain_verifications set recheck_at = clock_timestamp() + interval '10 minutes'
     where account_id = %(account)s and id = %(id)s
    returning account_id, id, domain, verification_code, recheck_at as leased_until
    """,
)
# Applies the result of a lookup. A missing record loses the domain; while name servers do not answer it stays verified for a
# week.
RECORD_RESULT = Statement(
    DomainRow,
    """
    with was as (
      select *, %(answer)s::text as said,
             case when %(answer)s::text = 'unreachable' then coalesce(unreachable_since, now()) end as silent_since
        from accounts.domain_verifications
       where account_id = %(account)s and id = %(id)s and recheck_at = %(leased_until)s
         for update
    ), judged as (
      select account_id, id, said, silent_since,
             case when said = 'found' then 'verified'
                  when status <> 'verified' then status
                  when said = 'unreachable' and silent_since > now() - make_interval(days => %(grace)s) then 'verified'
                  else 'lost' end as becomes
        from was
    )
    update accounts.domain_verifications d
       set answer = said, checked_at = now(), unreachable_since = silent_since, status = becomes,
           verified_at = case when becomes = 'verified' then coalesce(d.verified_at, now()) end,
           recheck_at = case
             when becomes = 'verified' and said = 'found' then now() + interval '1 day'
             when becomes = 'verified' then now() + interval '1 hour'
             when becomes = 'pending' and d.created_at > now() - interval '3 days' then now() + interval '15 minutes'
             when becomes = 'lost' and d.status = 'verified' then now() + interval '1 hour'
           end
      from judged
     where d.account_id = judged.account_id and d.id = judged.id
    returning d.id, d.domain, d.verification_code, d.status, d.verified_at, d.checked_at, d.answer, d.created_at
    """,
)

EXPORT_DOMAINS = Statement(
    dict[str, Any],
    "select to_jsonb(d) - 'account_id' as row from accounts.domain_verifications d where account_id = %(account)s order by id",
)
ERASE_DOMAINS = Statement(NoneType, "delete from accounts.domain_verifications where account_id = %(account)s")
