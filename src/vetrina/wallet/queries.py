"""SQL of the wallet.

Ledger steps are functions in the migrations, so that other modules' functions can call them inside one statement.
"""

from __future__ import annotations

from functools import cache
from typing import LiteralString
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.core.module import LedgerSubject
from vetrina.wallet.model import Balance, Entry, Fault, Pack

GRANT = Statement(
    UUID,
    "select wallet.grant_credits(%(account)s, %(asset)s, %(quantity)s, %(source)s, %(key)s, %(expires_at)s, %(note)s)",
)
HOLD = Statement(UUID, "select wallet.hold(%(account)s, %(asset)s, %(quantity)s, %(key)s) as id")
FROZEN = Statement(bool, "select frozen from wallet.wallets where account_id = %(account)s and asset = %(asset)s")
CAPTURE = Statement(bool, "select wallet.capture(%(account)s, %(hold)s)")
RELEASE = Statement(bool, "select wallet.release(%(account)s, %(hold)s, %(reason)s)")

BALANCES = Statement(
    Balance,
    """
    select w.asset, w.balance, w.held, w.lifetime_granted, w.lifetime_used,
           g.remaining as expiring_quantity, g.expires_at as expiring_at
      from wallet.wallets w
      left join lateral (
        select remaining, expires_at from wallet.grants
         where account_id = w.account_id and asset = w.asset and remaining > 0 and expires_at > now()
         order by expires_at, id limit 1
      ) g on true
     where w.account_id = %(account)s
     order by array_position(array['token', 'conversion', 'image_slot', 'contact', 'posting'], w.asset::text)
    """,
)

# The cursor is an entry's id; `position` is the order in which entries were made. The newest of each requested asset and
# kind come from the index, so that no filter reads more than a page of each.
ENTRIES = Statement(
    Entry,
    """
    with page as (
      select e.*
        from unnest(%(assets)s::text[]) a (asset)
       cross join unnest(%(kinds)s::text[]) k (kind)
       cross join lateral (
         select * from wallet.entries
          where account_id = %(account)s and asset = a.asset and kind = k.kind
            and position < coalesce(
              (select position from wallet.entries where account_id = %(account)s and id = %(before)s), 9223372036854775807)
          order by position desc limit %(limit)s
       ) e
       order by e.position desc limit %(limit)s
    )
    select e.id, e.position, e.asset, e.kind, e.quantity, e.balance_after, g.note, g.source, e.hold_id,
           case when e.adjustment_id is null then coalesce(h.key, g.key) else 'adjustment:' || e.adjustment_id end as subject,
           null::text as style, coalesce(h.reason, j.reason) as reason, e.created_at
      from page e
      join wallet.grants g on g.account_id = e.account_id and g.id = e.grant_id
      left join wallet.holds h on h.account_id = e.account_id and h.id = e.hold_id
      left join wallet.adjustments j on j.account_id = e.account_id and j.id = e.adjustment_id
     order by e.position desc
    """,
)


@cache
def entries(subjects: tuple[LedgerSubject, ...]) -> Statement[Entry]:
    """Return ENTRIES with the names that modules give to what credits were spent on, in `style`."""
    name: LiteralString = "null::text"
    for subject in subjects:
        if subject.name_sql:
            name = f"coalesce({subject.name_sql}, {name})"
    return Statement(Entry, ENTRIES.sql.replace("null::text", name), declared=False) if subjects else ENTRIES


RATES = Statement(dict[str, float], "select value from core.settings where key = 'wallet.currency_rates'")
FIRST_TO_EXPIRE = Statement(str, "select coalesce(wallet.first_to_expire(%(account)s, %(tokens)s), '')")

PACKS = Statement(
    Pack,
    """
    select id, name, title, asset, quantity, price, currency from wallet.packs
     where is_active and asset::text = any(%(assets)s::text[])
     order by position, id
    """,
)
PACK = Statement(
    Pack,
    """
    select id, name, title, asset, quantity, price, currency from wallet.packs
     where id = %(id)s and is_active and asset::text = any(%(assets)s::text[])
    """,
)

EXPIRE_DUE = Statement(
    int,
    """
    select coalesce(sum(wallet.expire(due.account_id, due.asset)), 0)::bigint
      from (select distinct account_id, asset from wallet.grants
             where remaining > 0 and expires_at <= now()
             order by account_id, asset limit 500) due
    """,
)

# Verification. Each part finds inconsistent rows; sorted by position of entry, then by check.
FAULTS = Statement(
    Fault,
    """
    with running as (
      select account_id, id, asset, position, balance_after,
             sum(quantity) over (partition by account_id, asset order by position) as expected
        from wallet.entries
    ), sums as (
      select account_id, asset, sum(quantity) as total from wallet.entries group by 1, 2
    ), left_over as (
      select account_id, asset, sum(remaining) as total from wallet.grants group by 1, 2
    ), open_holds as (
      select account_id, asset, sum(quantity) as total from wallet.holds where state = 'held' group by 1, 2
    ), by_grant as (
      select account_id, grant_id, sum(quantity) as total from wallet.entries group by 1, 2
    ), by_hold as (
      select account_id, hold_id, sum(quantity) as total from wallet.entries where hold_id is not null group by 1, 2
    ), by_adjustment as (
      select account_id, adjustment_id as id, sum(quantity) as total
        from wallet.entries where adjustment_id is not null group by 1, 2
    ), spent as (
      select account_id, asset, sum(quantity) as total from wallet.holds where state = 'captured' group by 1, 2
    ), faults as (
      select 1 as rank, 'running balance' as check_name, account_id, 'wallet.entries ' || id as row, position,
             expected::bigint, balance_after as found
        from running where expected <> balance_after
      union all
      select 2, 'balance = sum of entries', w.account_id, 'wallet.wallets ' || w.asset, 0, coalesce(s.total, 0)::bigint, w.balance
        from wallet.wallets w left join sums s using (account_id, asset) where w.balance <> coalesce(s.total, 0)
      union all
      select 3, 'balance = what is left of grants', w.account_id, 'wallet.wallets ' || w.asset, 0,
             coalesce(g.total, 0)::bigint, w.balance
        from wallet.wallets w left join left_over g using (account_id, asset) where w.balance <> coalesce(g.total, 0)
      union all
      select 4, 'held = open holds', w.account_id, 'wallet.wallets ' || w.asset, 0, coalesce(h.total, 0)::bigint, w.held
        from wallet.wallets w left join open_holds h using (account_id, asset) where w.held <> coalesce(h.total, 0)
      union all
      select 5, 'what is left of a grant = its entries', g.account_id, 'wallet.grants ' || g.id, 0,
             coalesce(b.total, 0)::bigint, g.remaining
        from wallet.grants g left join by_grant b on b.account_id = g.account_id and b.grant_id = g.id
       where g.remaining <> coalesce(b.total, 0)
      union all
      select 6, 'a hold took what it holds', h.account_id, 'wallet.holds ' || h.id, 0,
             case h.state when 'released' then 0 else -h.quantity end, coalesce(b.total, 0)::bigint
        from wallet.holds h left join by_hold b on b.account_id = h.account_id and b.hold_id = h.id
       where coalesce(b.total, 0) <> case h.state when 'released' then 0 else -h.quantity end
      union all
      select 7, 'lifetime used = captured holds', w.account_id, 'wallet.wallets ' || w.asset, 0,
             coalesce(s.total, 0)::bigint, w.lifetime_used
        from wallet.wallets w left join spent s using (account_id, asset) where w.lifetime_used <> coalesce(s.total, 0)
      union all
      select 8, 'an adjustment = its entries', j.account_id, 'wallet.adjustments ' || j.id, 0, j.quantity,
             coalesce(b.total, 0)::bigint
        from wallet.adjustments j left join by_adjustment b using (account_id, id) where j.quantity <> coalesce(b.total, 0)
    )
    select check_name, account_id, row, expected, found from faults order by rank, position, account_id limit %(limit)s
    """,
)
COUNTS = Statement(int, "select (select count(*) from wallet.entries)")
WELCOME = Statement(int, "select (value #>> '{}')::integer as tokens from core.settings where key = 'wallet.welcome_tokens'")
OWED = Statement(int, "select coalesce(sum(balance + held), 0)::bigint from wallet.wallets where asset = 'token'")
