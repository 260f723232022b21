"""SQL of the verification of payments."""

from __future__ import annotations

from vetrina.core.database.connection import Statement
from vetrina.wallet.model import Fault

# Sorted by check. Credits revoked for a partial refund are rounded down; a full refund revokes all.
FAULTS = Statement(
    Fault,
    """
    with back as (
      select account_id, payment_id as id, sum(amount) as amount, sum(taken + shortfall) as credits, sum(taken) as taken,
             sum(shortfall) as shortfall
        from payments.reversals group by 1, 2
    ), lasting as (
      select account_id, payment_id as id, max(created_at) as since from payments.reversals where shortfall > 0 group by 1, 2
    ), taken_entries as (
      select account_id, split_part(idempotency_key, ':', 1) as way, split_part(idempotency_key, ':', 2) as what,
             -sum(quantity) as total
        from wallet.entries where kind = 'revocation' group by 1, 2, 3
    ), gone as (
      select account_id, grant_id, -sum(quantity) as total
        from wallet.entries where kind in ('expiry', 'revocation', 'adjustment') group by 1, 2
    ), away as (
      select e.account_id, e.grant_id, -sum(e.quantity) as total
        from wallet.entries e join wallet.holds h on h.account_id = e.account_id and h.id = e.hold_id
       where e.kind = 'hold' and h.state in ('held', 'captured') group by 1, 2
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
             least(b.taken + coalesce(s.collected, 0), b.shortfall - coalesce(s.collected, 0))::bigint
        from back b join payments.payments p using (account_id, id)
        left join wallet.shortfalls s on s.account_id = p.account_id and s.grant_id = p.grant_id
       where least(b.taken + coalesce(s.collected, 0), b.shortfall - coalesce(s.collected, 0)) < 0
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
      select 8, 'a plan that was paid has its month or its refund', p.account_id, 'payments.payments ' || p.id, 1, 0
        from payments.payments p
       where p.kind = 'plan' and p.paid_at is not null
         and not exists (select from wallet.periods m
                          where m.account_id = p.account_id and starts_with(m.key, 'payment:' || p.id))
         and not exists (select from payments.refunds r where r.account_id = p.account_id and r.payment_id = p.id
                            and r.is_automatic and r.status not in ('failed', 'canceled'))
      union all
      select 9, 'owed = its shortfalls, less what holds gave back', p.account_id, 'payments.payments ' || p.id,
             (coalesce(b.shortfall, 0) - coalesce(s.collected, 0))::bigint, coalesce(s.owed, 0)
        from payments.payments p
        left join back b using (account_id, id)
        left join wallet.shortfalls s on s.account_id = p.account_id and s.grant_id = p.grant_id
       where p.grant_id is not null and coalesce(b.shortfall, 0) - coalesce(s.collected, 0) <> coalesce(s.owed, 0)
      union all
      select 10, 'collected from holds = its entries', s.account_id, 'wallet.shortfalls ' || s.grant_id,
             coalesce(t.total, 0)::bigint, s.collected
        from wallet.shortfalls s
        left join taken_entries t on t.account_id = s.account_id and t.way = 'shortfall' and t.what = s.grant_id::text
       where s.collected <> coalesce(t.total, 0)
      union all
      select 11, 'credits that a reversal took = its entries', r.account_id, 'payments.reversals ' || r.id,
             (coalesce(t.total, 0) - coalesce(g.quantity, 0))::bigint, r.taken
        from payments.reversals r
        left join taken_entries t on t.account_id = r.account_id and t.way = 'revocation' and t.what = r.id::text
        left join wallet.grants g on g.account_id = r.account_id and g.key = 'reversal:' || r.id
       where r.taken <> coalesce(t.total, 0) - coalesce(g.quantity, 0)
      union all
      select 12, 'nothing older is spendable while credits are owed', p.account_id, 'payments.payments ' || p.id, 0,
             sum(g.remaining)::bigint
        from payments.payments p
        join lasting using (account_id, id)
        join wallet.shortfalls s on s.account_id = p.account_id and s.grant_id = p.grant_id and s.owed > 0
        join wallet.grants g on g.account_id = p.account_id and g.asset = s.asset and g.remaining > 0
         and (g.id = p.grant_id or g.created_at < lasting.since)
       group by p.account_id, p.id
      union all
      select 13, 'granted - taken back = spendable + held + spent - owed', p.account_id, 'payments.payments ' || p.id,
             (g.quantity - coalesce(b.credits, 0))::bigint,
             (g.remaining + coalesce(a.total, 0) + coalesce(e.total, 0) - coalesce(b.taken, 0) - coalesce(s.collected, 0)
              - coalesce(s.owed, 0))::bigint
        from payments.payments p
        join wallet.grants g on g.account_id = p.account_id and g.id = p.grant_id
        left join back b on b.account_id = p.account_id and b.id = p.id
        left join away a on a.account_id = p.account_id and a.grant_id = p.grant_id
        left join gone e on e.account_id = p.account_id and e.grant_id = p.grant_id
        left join wallet.shortfalls s on s.account_id = p.account_id and s.grant_id = p.grant_id
       where g.quantity - coalesce(b.credits, 0) <> g.remaining + coalesce(a.total, 0) + coalesce(e.total, 0)
             - coalesce(b.taken, 0) - coalesce(s.collected, 0) - coalesce(s.owed, 0)
    )
    select check_name, account_id, row, expected, found from faults order by rank, account_id, row limit %(limit)s
    """,
)
