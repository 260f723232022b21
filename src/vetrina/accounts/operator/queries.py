"""SQL of account administration."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.accounts.operator.model import AccountLabel, FailedJob, Hourly, JobLane, ManagedAccount, Note, PeriodicJob
from vetrina.core.database.connection import Statement

# Matches prefixes of addresses, phones, handles and names; each has an index for it.
SEARCH = Statement(
    ManagedAccount,
    """
    select a.id, a.kind, a.email, a.phone, a.handle, coalesce(u.name, v.business_name) as name,
           case when a.erased_at is not null then 'erased' when a.is_active then 'active' else 'disabled' end as state,
           a.last_login_at, a.created_at,
           array(select r.role from accounts.user_roles r where r.account_id = a.id order by r.role) as roles
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.id < %(before)s
       and (%(kind)s::text is null or a.kind = %(kind)s)
       and (%(role)s::text is null or a.id in (select r.account_id from accounts.user_roles r where r.role = %(role)s))
       and case %(state)s::text
             when 'active' then a.is_active and a.erased_at is null
             when 'disabled' then not a.is_active and a.erased_at is null
             when 'erased' then a.erased_at is not null
             else true end
       and (%(begins)s::text is null or a.id in (
             select id from accounts.accounts where email like %(begins)s
             union all select id from accounts.accounts where phone like %(begins)s
             union all select id from accounts.accounts where handle like %(begins)s
             union all select account_id from accounts.users where lower(name) like %(begins)s
             union all select account_id from accounts.vendors where lower(business_name) like %(begins)s))
       and (%(id)s::uuid is null or a.id = %(id)s)
     order by a.id desc limit %(limit)s
    """,
)
# Erased accounts, and those being erased, stay as they are.
SET_ACTIVE = Statement(
    UUID,
    """
    update accounts.accounts set is_active = %(active)s
     where id = %(account)s and is_active <> %(active)s and erased_at is null
       and not exists (select from accounts.erasures e where e.account_id = %(account)s)
    returning id
    """,
)
NAMES = Statement(
    AccountLabel,
    """
    select a.id, coalesce(a.email, a.phone, u.name, v.business_name, 'erased') as name
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.id = any(%(ids)s)
    """,
)
NOTES = Statement(
    Note,
    """
    select n.id, n.author_id, coalesce(u.name, a.email, a.phone) as author, n.text, n.created_at
      from accounts.notes n
      left join accounts.accounts a on a.id = n.author_id
      left join accounts.users u on u.account_id = n.author_id
     where n.account_id = %(account)s and n.id < %(before)s order by n.id desc limit %(limit)s
    """,
)
ADD_NOTE = Statement(
    NoneType,
    """
    insert into accounts.notes (account_id, id, author_id, text) values (%(account)s, %(id)s, %(author)s, %(text)s)
    """,
)
ERASE_NOTES = Statement(NoneType, "delete from accounts.notes where account_id = %(account)s")

# By the hour in UTC, from an index on the time: two months of rows, whatever the age of the site.
SIGN_UPS = Statement(
    Hourly,
    """
    select date_trunc('hour', created_at, 'UTC') as hour, '' as key, count(*) as value from accounts.accounts
     where created_at >= %(since)s group by 1
    """,
)
STORED_BYTES = Statement(int, "select coalesce(sum(file_bytes + export_bytes), 0)::bigint from accounts.storage")
JOB_LANES = Statement(
    JobLane,
    """
    select queue_name as queue,
           count(*) filter (where status = 'todo' and coalesce(scheduled_at, now()) <= now())::integer as due,
           count(*) filter (where status = 'todo' and scheduled_at > now())::integer as later,
           count(*) filter (where status = 'doing')::integer as running,
           count(*) filter (where status = 'failed')::integer as failed
      from procrastinate_jobs where status in ('todo', 'doing', 'failed') group by queue_name order by queue_name
    """,
)
FAILED_JOBS = Statement(
    FailedJob,
    """
    select j.id, j.task_name as task, j.queue_name as queue, j.attempts, f.error,
           (select max(e.at) from procrastinate_events e where e.job_id = j.id and e.type = 'failed') as at
      from procrastinate_jobs j left join core.job_failures f on f.job_id = j.id
     where j.status = 'failed' order by j.id desc limit %(limit)s
    """,
)
PERIODIC_JOBS = Statement(
    PeriodicJob,
    """
    select distinct on (d.task_name) d.task_name as task, to_timestamp(d.defer_timestamp) as due_at,
           coalesce(j.status::text, 'succeeded') as status
      from procrastinate_periodic_defers d left join procrastinate_jobs j on j.id = d.job_id
     order by d.task_name, d.defer_timestamp desc
    """,
)
RETRY_JOBS = Statement(
    int,
    """
    with failed as (
      select id from procrastinate_jobs
       where status = 'failed' and (%(everything)s or id = any(%(ids)s::bigint[])) order by id limit %(limit)s
         for update skip locked
    ), retried as (
      select procrastinate_retry_job_v2(id, now(), null, null, null) from failed
    )
    select count(*)::integer from retried
    """,
)
