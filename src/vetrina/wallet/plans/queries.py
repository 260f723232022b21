"""SQL of plans, quotas and packs. Period changes are functions in the migrations."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.wallet.model import Grant, Pack, SoldPack, StoredKey
from vetrina.wallet.plans.model import Membership, Offer, Overdue, Plan, Quota

# Closed plans are only for those who are on them.
_PLANS = """
    select id, name, kind, display_name, description, price_per_month, currency, monthly_tokens,
           monthly_conversions_limit, monthly_images_limit, features,
           jsonb_strip_nulls(jsonb_build_object(currency, nullif(price_per_month, 0)))
           || coalesce((select jsonb_object_agg(e.currency, e.price) from wallet.plan_prices e where e.plan_id = p.id), '{}')
             as prices
      from wallet.plans p"""
PLANS = Statement(Plan, f"{_PLANS} where is_active order by kind, price_per_month, name")
# With the account's own plan, which it may keep after it was closed to new members.
OFFERED = Statement(
    Plan,
    f"{_PLANS} where is_active or id = (select plan_id from wallet.memberships where account_id = %(account)s)",
)
BY_NAME = Statement(Plan, f"{_PLANS} where name = %(name)s")
PLANS_FOR = Statement(
    Plan,
    f"""{_PLANS}
     where kind = (select kind from accounts.accounts where id = %(account)s)
       and (is_active or id = (select plan_id from wallet.memberships where account_id = %(account)s))
     order by price_per_month, name""",
)

MEMBERSHIP = Statement(
    Membership,
    """
    select p.name as plan, p.display_name as plan_title, p.kind,
           case when m.grace_until is null then 'active' else 'grace' end as state,
           m.period_start, m.period_end, m.cancel_at_period_end,
           case when paid.name is not null then nullif(paid.name, p.name)
                when m.cancel_at_period_end then case p.kind when 'vendor' then 'vendor_free' else 'free' end
                else (select n.name from wallet.plans n where n.id = m.next_plan_id) end as next_plan,
           m.grace_until,
           (select max(ends_at) from wallet.periods w where w.account_id = m.account_id and w.started_at is null) as paid_until,
           m.gateway as renewed_by
      from wallet.memberships m
      join wallet.plans p on p.id = m.plan_id
      left join lateral (
        select n.name from wallet.periods w join wallet.plans n on n.id = w.plan_id
         where w.account_id = m.account_id and w.started_at is null order by w.starts_at, w.id limit 1
      ) paid on true
     where m.account_id = %(account)s
    """,
)
# What the plan granted this period, including what expired and was restored for the grace period. Gifts and packs may add more.
QUOTAS = Statement(
    Quota,
    """
    select a.asset, given.quantity as limit, given.quantity - given.remaining as used,
           coalesce(w.balance - coalesce(late.quantity, 0), 0)::bigint as remaining, coalesce(w.held, 0) as held,
           p.display_name as plan, m.period_end as resets_at
      from wallet.memberships m
      join wallet.plans p on p.id = m.plan_id
      left join wallet.periods period on period.account_id = m.account_id and period.id = m.period_id
     cross join unnest(array['conversion', 'image_slot', 'token']) with ordinality a (asset, position)
      left join wallet.wallets w on w.account_id = m.account_id and w.asset = a.asset
     cross join lateral (
       select coalesce(max(quantity) filter (where g.key like 'plan:%%'), 0) as quantity,
              coalesce(sum(remaining) filter (where expires_at > now()), 0)::bigint as remaining
         from wallet.grants g
        where g.account_id = m.account_id
          and g.key in ('plan:' || a.asset || ':' || m.period_id, 'grace:' || a.asset || ':' || m.period_id,
                        'plan:' || a.asset || ':' || period.rest_of)
     ) given
      left join lateral (
        select sum(remaining) as quantity from wallet.grants g
         where g.account_id = m.account_id and g.asset = a.asset and g.remaining > 0 and g.expires_at <= now()
      ) late on true
     where m.account_id = %(account)s and (a.asset <> 'token' or given.quantity > 0)
     order by a.position
    """,
)
GRANTS = Statement(
    Grant,
    """
    select asset, source, note, quantity, remaining, expires_at from wallet.grants
     where account_id = %(account)s and remaining > 0 and (expires_at is null or expires_at > now())
     order by array_position(array['token', 'conversion', 'image_slot', 'contact', 'posting'], asset::text), expires_at, id
    """,
)
KNOWN = Statement(
    StoredKey, "select id, kind from accounts.accounts where email = lower(%(email)s) and erased_at is null order by kind"
)
# The price of a month in the requested currency, and the value of the unused paid part of the current month.
OFFER = Statement(
    Offer,
    """
    select p.id as plan_id, p.name, p.display_name as title, p.kind, wallet.price_of(p.id, %(currency)s) as price,
           case when c.id is null or p.id in (m.plan_id, coalesce(m.next_plan_id, m.plan_id)) then 0 else floor(
             case when c.currency = %(currency)s then c.paid_value else coalesce(wallet.price_of(m.plan_id, %(currency)s), 0) end
             * extract(epoch from c.ends_at - now()) / extract(epoch from c.bought_until - c.starts_at))::bigint end as credit,
           case when p.id <> m.plan_id and p.id is distinct from m.next_plan_id then c.id end as credit_period,
           p.id = m.plan_id as current, coalesce(paid.paid_value, 0) > 0 as paid,
           coalesce(paid.paid_value, 0) > 0 and p.id = coalesce(m.next_plan_id, m.plan_id) as renewal,
           coalesce(paid.paid_value, 0) > 0 and wallet.plan_rank(p.id) <= wallet.plan_rank(m.plan_id) as is_downgrade,
           exists (select from wallet.periods w
                    where w.account_id = m.account_id and w.plan_id = p.id and w.started_at is null and w.rest_of is null)
             as paid_ahead,
           a.kind as account_kind, m.gateway as renewed_by
      from wallet.plans p
     cross join wallet.memberships m
      join accounts.accounts a on a.id = m.account_id
      left join wallet.periods paid on paid.account_id = m.account_id and paid.id = m.period_id
      left join wallet.periods c on c.account_id = m.account_id and c.id = m.period_id and c.paid_value > 0 and c.ends_at > now()
     where p.id = %(plan)s and m.account_id = %(account)s
       and (p.is_active or p.id in (m.plan_id, coalesce(m.next_plan_id, m.plan_id)))
    """,
)

CANCEL_AT_PERIOD_END = Statement(
    NoneType,
    """
    update wallet.memberships set cancel_at_period_end = true, next_plan_id = null
     where account_id = %(account)s
       and exists (select from wallet.periods p
                    where p.account_id = memberships.account_id and p.id = period_id and p.paid_value > 0)
    """,
)
RESUME = Statement(
    NoneType, "update wallet.memberships set cancel_at_period_end = false, next_plan_id = null where account_id = %(account)s"
)
SET_NEXT_PLAN = Statement(
    NoneType,
    "update wallet.memberships set cancel_at_period_end = false, next_plan_id = %(plan)s where account_id = %(account)s",
)
RESTORE = Statement(
    NoneType,
    """
    update wallet.memberships
       set cancel_at_period_end = %(ends)s,
           next_plan_id = case when not %(ends)s::boolean then (select id from wallet.plans where name = %(plan)s::text) end
     where account_id = %(account)s
    """,
)
OVERDUE = Statement(
    Overdue,
    """
    select a.email, a.phone, p.display_name as plan, m.grace_until as until
      from wallet.memberships m
      join wallet.plans p on p.id = m.plan_id
      join accounts.accounts a on a.id = m.account_id and a.is_active
     where m.account_id = %(account)s and m.grace_until > now()
    """,
)
ADVANCE_DUE = Statement(
    int,
    """
    select count(wallet.advance_period(due.account_id))
      from (select m.account_id from wallet.memberships m
              join accounts.accounts a on a.id = m.account_id and a.erased_at is null
             where coalesce(m.grace_until, m.period_end) <= now()
             order by coalesce(m.grace_until, m.period_end) limit %(limit)s
               for update of m skip locked) due
    """,
)
DUE = Statement(
    UUID,
    """
    select m.account_id from wallet.memberships m
      join accounts.accounts a on a.id = m.account_id and a.erased_at is null
     where coalesce(m.grace_until, m.period_end) <= now()
     order by coalesce(m.grace_until, m.period_end) limit %(limit)s
    """,
)
ADVANCE = Statement(str, "select coalesce(wallet.advance_period(%(account)s), '') as became")
SPEND = Statement(bool, "select wallet.spend(%(account)s, %(asset)s, %(quantity)s, %(key)s)")
HAS_BOUGHT_TOKENS = Statement(
    bool,
    """
    select exists (select from wallet.grants where account_id = %(account)s and asset = 'token' and remaining > 0
                     and (source = 'purchase' or key = 'welcome'))
    """,
)

HAS_MORE_THAN_WELCOME_TOKENS = Statement(
    bool, "select exists (select from wallet.grants where account_id = %(account)s and asset = 'token' and key <> 'welcome')"
)

ALL_PACKS = Statement(
    SoldPack,
    """
    select k.id, k.name, k.title, k.asset, k.quantity, k.price, k.currency, k.position, k.is_active
      from wallet.packs k
     order by array_position(array['token', 'conversion', 'image_slot', 'contact', 'posting'], k.asset::text),
           k.currency, k.position, k.name
    """,
)
PACK_BY_NAME = Statement(
    SoldPack,
    "select id, name, title, asset, quantity, price, currency, position, is_active from wallet.packs where name = %(name)s",
)
ADD_PACK = Statement(
    UUID,
    """
    insert into wallet.packs (name, title, asset, quantity, price, currency, position)
    values (%(name)s, %(title)s, %(asset)s, %(quantity)s, %(price)s, %(currency)s, %(position)s) returning id
    """,
)
CHANGE_PACK = Statement(
    Pack,
    """
    update wallet.packs
       set title = coalesce(%(title)s, title), quantity = coalesce(%(quantity)s, quantity), price = coalesce(%(price)s, price),
           position = coalesce(%(position)s, position), is_active = coalesce(%(is_active)s, is_active)
     where name = %(name)s
    returning id, name, title, asset, quantity, price, currency
    """,
)

NOTIFY_ENDING = Statement(NoneType, "select wallet.notify_ending_plans()")
