"""SQL of the plan editor."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.wallet.plan_editor.model import EditedPlan, PlanMember

_EDITED = """
    select p.id, p.name, p.kind, p.display_name, p.description,
           jsonb_strip_nulls(jsonb_build_object(p.currency, nullif(p.price_per_month, 0)))
           || coalesce((select jsonb_object_agg(e.currency, e.price) from wallet.plan_prices e where e.plan_id = p.id), '{}')
             as prices,
           p.monthly_tokens, p.monthly_conversions_limit, p.monthly_images_limit, p.storage_mb, p.features, p.is_active,
           (select count(*) from wallet.memberships m where m.plan_id = p.id) as members
      from wallet.plans p"""
ALL = Statement(EditedPlan, f"{_EDITED} order by p.kind, p.is_active desc, p.price_per_month, p.name")
BY_NAME = Statement(EditedPlan, f"{_EDITED} where p.name = %(name)s")
LOCK = Statement(UUID, "select id from wallet.plans where name = %(name)s for update")
BASE_CURRENCY = Statement(str, "select currency from wallet.plans where name = %(name)s")
ADD = Statement(
    UUID,
    """
    insert into wallet.plans (name, kind, display_name, description, price_per_month, currency, monthly_tokens,
                              monthly_conversions_limit, monthly_images_limit, storage_mb, features)
    values (%(name)s, %(kind)s, %(display_name)s, nullif(%(description)s, ''), %(price)s, %(currency)s, %(monthly_tokens)s,
            %(monthly_conversions_limit)s, %(monthly_images_limit)s, nullif(%(storage_mb)s, 0), %(features)s)
    returning id
    """,
)
CHANGE = Statement(
    NoneType,
    """
    update wallet.plans
       set display_name = coalesce(%(display_name)s, display_name),
           description = case when %(description)s::text is null then description else nullif(%(description)s, '') end,
           price_per_month = coalesce(%(price)s, price_per_month), currency = coalesce(%(currency)s, currency),
           monthly_tokens = coalesce(%(monthly_tokens)s, monthly_tokens),
           monthly_conversions_limit = coalesce(%(monthly_conversions_limit)s, monthly_conversions_limit),
           monthly_images_limit = coalesce(%(monthly_images_limit)s, monthly_images_limit),
           storage_mb = case when %(storage_mb)s::integer is null then storage_mb else nullif(%(storage_mb)s, 0) end,
           features = coalesce(%(features)s, features), is_active = coalesce(%(is_active)s, is_active)
     where name = %(name)s
    """,
)
# The prices in every currency but the plan's own, which stands in its row.
DELETE_PRICES = Statement(
    NoneType, "delete from wallet.plan_prices where plan_id = %(plan)s and not (%(prices)s::jsonb ? currency)"
)
SET_PRICES = Statement(
    NoneType,
    """
    insert into wallet.plan_prices as e (plan_id, currency, price)
    select %(plan)s::uuid, key, value::bigint from jsonb_each_text(%(prices)s::jsonb)
    on conflict (plan_id, currency) do update set price = excluded.price where e.price <> excluded.price
    """,
)
# With the plan's row locked, so that nobody joins meanwhile: the reference takes a lock that waits for it.
IN_USE = Statement(
    bool,
    """
    select exists (select from wallet.memberships where %(plan)s in (plan_id, next_plan_id))
        or exists (select from wallet.periods where plan_id = %(plan)s)
    """,
)
DELETE = Statement(NoneType, "delete from wallet.plans where id = %(plan)s")
MEMBERS = Statement(
    PlanMember,
    """
    select a.id, coalesce(u.name, v.business_name) as name, a.email, a.phone, m.period_end, m.cancel_at_period_end,
           (select n.name from wallet.plans n where n.id = m.next_plan_id) as next_plan, m.gateway as renewed_by
      from wallet.memberships m
      join accounts.accounts a on a.id = m.account_id and a.erased_at is null
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where m.plan_id = (select id from wallet.plans where name = %(name)s) and m.account_id < %(before)s
     order by m.account_id desc limit %(limit)s
    """,
)
