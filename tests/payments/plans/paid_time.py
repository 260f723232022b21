"""What the machine of paid time keeps of payments, and how it reads their periods."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

DAY = 86400.0
SLACK = 60.0
"""Seconds that an example may take: the clock goes on while time is moved."""
PRICES = {"basic": 50_000, "advanced": 150_000}
TABLES = {
    "wallet.memberships": ("period_start", "period_end", "billing_anchor", "grace_until"),
    "wallet.periods": ("starts_at", "ends_at", "bought_until"),
    "wallet.grants": ("expires_at",),
}


@dataclass
class Payment:
    """A checkout and what became of it; `served` in seconds, as seen from outside."""

    id: UUID
    plan: str
    amount: int
    credit: int
    credit_of: UUID | None
    sub: str = ""
    is_paid: bool = False
    refund: str = ""
    served: float = 0


@dataclass
class Subscription:
    """A subscription at Stripe: `due` is when its next month begins, on the machine's clock."""

    first: Payment
    due: float = 0
    is_over: bool = False
    invoices: list[Payment] = field(default_factory=list[Payment])


TIMES = """select r.id, r.key, r.paid_value, r.amount,
                      case when r.started_at is null or r.paid_value > 0
                           then extract(epoch from coalesce(r.bought_until, r.ends_at) - r.starts_at)::float8 end as bought,
                      sum(case when f.started_at is null then extract(epoch from f.ends_at - f.starts_at)
                               else 0 end)::float8 as waiting,
                      sum(case when f.id = m.period_id and f.paid_value > 0 and m.grace_until is null
                               then greatest(extract(epoch from f.ends_at - clock_timestamp()), 0) else 0 end)::float8 as left,
                      sum(extract(epoch from f.credited))::float8 as credited,
                      sum(case when r.paid_value > 0 then extract(epoch from f.revoked) else 0 end)::float8 as revoked
                 from wallet.periods r
                 join wallet.memberships m on m.account_id = r.account_id
                 join wallet.periods f on f.account_id = r.account_id and r.id in (f.id, f.rest_of)
                where r.account_id = %(account)s and r.key like 'payment:%%' and r.rest_of is null
                group by r.account_id, r.id"""
"""The paid months with their rests, in seconds."""

NOW = """select extract(epoch from coalesce(m.grace_until, m.period_end) - clock_timestamp())::float8 as until,
                      extract(epoch from m.period_end - clock_timestamp())::float8 as served,
                      case when p.paid_value > 0 and m.grace_until is null then coalesce(r.key, p.key) end as key,
                      m.grace_until is not null as is_grace
                 from wallet.memberships m
                 join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id
                 left join wallet.periods r on r.account_id = m.account_id and r.id = p.rest_of
                where m.account_id = %(account)s"""
"""How long the membership stays as it is and serves its period, in seconds, and the period's key."""
