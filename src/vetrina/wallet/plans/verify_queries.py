"""SQL of the verification of paid time."""

from __future__ import annotations

from vetrina.core.database.connection import Statement
from vetrina.wallet.model import Fault

# In seconds. A family is a paid month and the rests of it; a month that was taken back before it started has no value left.
FAULTS = Statement(
    Fault,
    """
    with times as (
      select account_id, coalesce(rest_of, id) as id, rest_of is null as is_root, bought_until - starts_at as bought,
             case when started_at is null or paid_value > 0 then ends_at - starts_at else interval '0' end
               + credited + revoked as found
        from wallet.periods where paid_value > 0 or rest_of is not null
    ), families as (
      select account_id, id, extract(epoch from max(bought) filter (where is_root)) as bought,
             extract(epoch from sum(found)) as found
        from times group by 1, 2
    ), ordered as (
      select account_id, id, starts_at, lag(ends_at) over (partition by account_id order by starts_at, id) as before
        from wallet.periods
       where paid_value > 0 and started_at is not null and ends_at > starts_at + interval '1 us'
    ), faults as (
      select 1 as rank, 'paid days = days given + days credited' as check_name, account_id, 'wallet.periods ' || id as row,
             floor(bought)::bigint as expected, floor(found)::bigint as found
        from families where abs(bought - found) > 0.01
      union all
      select 2, 'paid periods do not overlap', account_id, 'wallet.periods ' || id, 0,
             ceil(extract(epoch from before - starts_at))::bigint
        from ordered where before > starts_at
      union all
      select 3, 'a month paid ahead waits for the current one', w.account_id, 'wallet.periods ' || w.id, 0,
             ceil(extract(epoch from m.period_end - w.starts_at))::bigint
        from wallet.periods w
        join wallet.memberships m on m.account_id = w.account_id
        join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id and p.paid_value > 0
       where w.started_at is null and w.starts_at < m.period_end
      union all
      select 4, 'the current period ends with its membership', p.account_id, 'wallet.periods ' || p.id,
             floor(extract(epoch from m.period_end))::bigint, floor(extract(epoch from p.ends_at))::bigint
        from wallet.memberships m join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id
       where p.paid_value > 0 and p.ends_at <> m.period_end
    )
    select check_name, account_id, row, expected, found from faults order by rank, account_id, row limit %(limit)s
    """,
)
