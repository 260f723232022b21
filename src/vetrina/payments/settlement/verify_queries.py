"""SQL of the books of payments."""

from __future__ import annotations

from vetrina.core.database.connection import Statement
from vetrina.wallet.model import Fault

# The first by kind of fault. Credits that go back with a part of the money are rounded down; with all of it all go.
FAULTS = Statement(
    Fault,
    """
    with back as (
      select account_id, payment_id as id, sum(amount) as amount, sum(taken + shortfall) as credits, sum(taken) as taken,
             sum(shortfall) as shortfall
        from payments.reversals group by 1, 2
    ), returned as (
      select account_id, payment_id as id, sum(amount) as amount
        from payments.refunds where status in ('pending', 'requires_action', 'succeeded') group by 1, 2
    ), open as (
      select distinct account_id, payment_id as id from payments.disputes where ended_at is null and status not like 'warning%%'
    ), faults as (
      select 1 as rank, 'paid = granted' as check_name, p.account_id, 'payments.payments ' || p.id as row,
             case when p.paid_at is null or p.asset is null then 0 else p.quantity end as expected,
             coalesce(g.quantity, 0) as found
        from payments.payments p
        left join wallet.grants g on g.account_id = p.account_id and g.key = 'payment:' || p.id
       where coalesce(g.quantity, 0) <> case when p.paid_at is null or p.asset is null then 0 else p.quantity end
          or (g.id is not null and g.id is distinct from p.grant_id)
      union all
      select 2, 'money that went back = its reversals', p.account_id, 'payments.payments ' || p.id, p.refunded + p.disputed,
             coalesce(b.amount, 0)::bigint
        from payments.payments p left join back b using (account_id, id)
       where p.refunded + p.disputed <> coalesce(b.amount, 0)
      union all
      select 3, 'credits that went back = their part of the money', p.account_id, 'payments.payments ' || p.id,
             floor(p.quantity * (p.refunded + p.disputed)::numeric / p.amount)::bigint, coalesce(b.credits, 0)::bigint
        from payments.payments p left join back b using (account_id, id)
       where p.grant_id is not null
         and floor(p.quantity * (p.refunded + p.disputed)::numeric / p.amount) <> coalesce(b.credits, 0)
      union all
      select 4, 'credits that went back are not negative', b.account_id, 'payments.payments ' || b.id, 0,
             least(b.taken, b.shortfall)::bigint
        from back b where least(b.taken, b.shortfall) < 0
      union all
      select 5, 'paid back = its refunds', p.account_id, 'payments.payments ' || p.id, least(p.amount, r.amount)::bigint,
             p.refunded
        from payments.payments p join returned r using (account_id, id)
       where p.refunded < least(p.amount, r.amount)
      union all
      select 6, 'disputed while a dispute is open', p.account_id, 'payments.payments ' || p.id, 1, 0
        from payments.payments p join open using (account_id, id) where p.status not in ('disputed', 'refunded')
      union all
      select 7, 'frozen while a dispute is open', w.account_id, 'wallet.wallets ' || w.asset,
             (exists (select from open o where o.account_id = w.account_id))::integer, w.frozen::integer
        from wallet.wallets w
       where w.frozen <> exists (select from open o where o.account_id = w.account_id)
      union all
      select 8, 'a plan that was paid has its month', p.account_id, 'payments.payments ' || p.id, 1, 0
        from payments.payments p
       where p.kind = 'plan' and p.paid_at is not null
         and not exists (select from wallet.periods m where m.account_id = p.account_id and m.key = 'payment:' || p.id)
    )
    select check_name, account_id, row, expected, found from faults order by rank, account_id, row limit %(limit)s
    """,
)
