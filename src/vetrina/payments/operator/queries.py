"""SQL of the operator's payments: list, timeline, buyer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement


class PaymentListItem(msgspec.Struct, frozen=True):
    """A payment in the operator's list."""

    account_id: UUID
    id: UUID
    buyer: str | None
    status: str
    gateway: str
    description: str
    amount: int
    currency: str
    refunded: int
    disputed: int
    created_at: datetime


class PaymentHistoryItem(msgspec.Struct, frozen=True):
    """An event in a payment's timeline: a refund, a dispute, a failed charge, revoked credits."""

    what: str
    ref: str | None
    amount: int
    status: str
    words: str | None
    at: datetime


class Buyer(msgspec.Struct, frozen=True):
    """The buyer of a payment, and the gateway's reference of the checkout."""

    email: str | None
    name: str | None
    ref: str | None


LIST = Statement(
    PaymentListItem,
    """
    select p.account_id, p.id, coalesce(a.email, a.phone, '@' || a.handle) as buyer, p.status, p.gateway, p.description, p.amount,
           p.currency, p.refunded, p.disputed, p.created_at
      from payments.payments p join accounts.accounts a on a.id = p.account_id
     where p.id < %(before)s
       and (%(status)s::text is null or p.status = %(status)s)
       and (%(gateway)s::text is null or p.gateway = %(gateway)s)
       and (%(kind)s::text is null or p.kind = %(kind)s)
       and (%(q)s::text is null or starts_with(lower(a.email), lower(%(q)s)) or p.reference = %(q)s or p.track_id = %(q)s
            or p.id::text = lower(%(q)s) or p.account_id::text = lower(%(q)s)
            or 'R-' || to_char(p.paid_at, 'YYYY') || '-' || lpad(p.receipt_number::text, 6, '0') = upper(%(q)s))
       and (%(since)s::date is null or p.created_at >= %(since)s::date)
       and (%(until)s::date is null or p.created_at < %(until)s::date + 1)
     order by p.id desc limit %(limit)s
    """,
)
BUYER = Statement(
    Buyer,
    """
    select a.email, u.name,
           (select r.ref from payments.gateway_refs r
             where r.account_id = a.id and r.payment_id = %(id)s order by r.created_at desc limit 1) as ref
      from accounts.accounts a left join accounts.users u on u.account_id = a.id
     where a.id = %(account)s
    """,
)
STORY = Statement(
    PaymentHistoryItem,
    """
    select 'refund' as what, ref, amount, status, coalesce(error, reason) as words, created_at as at from payments.refunds
     where account_id = %(account)s and payment_id = %(id)s
    union all
    select 'dispute', id, amount, status, reason, created_at from payments.disputes
     where account_id = %(account)s and payment_id = %(id)s
    union all
    select 'failure', ref, amount, coalesce(code, ''), reason, failed_at from payments.failed_transactions
     where account_id = %(account)s and payment_id = %(id)s
    union all
    select 'reversal', kind, amount, taken::text, shortfall::text, created_at from payments.reversals
     where account_id = %(account)s and payment_id = %(id)s
    union all
    -- What was owed came back from holds.
    select 'reversal', 'hold', 0, (-e.quantity)::text, e.quantity::text, e.created_at
      from payments.payments p
      join wallet.entries e on e.account_id = p.account_id and starts_with(e.idempotency_key, 'shortfall:' || p.grant_id || ':')
     where p.account_id = %(account)s and p.id = %(id)s
     order by at, what
    """,
)
CONFIRM_ABOVE = Statement(
    int, "select (value #>> '{}')::bigint as units from core.settings where key = 'payments.confirm_refunds_above'"
)


class EventHit(msgspec.Struct, frozen=True):
    """A stored Stripe event."""

    id: str
    type: str
    object_id: str | None


_PAYMENT = """
    select p.account_id, p.id, coalesce(a.email, a.phone, '@' || a.handle) as buyer, p.status, p.gateway, p.description, p.amount,
           p.currency, p.refunded, p.disputed, p.created_at
      from payments.payments p join accounts.accounts a on a.id = p.account_id"""

# Each branch is one index; the union of ids is small.
BY_REFERENCE = Statement(
    PaymentListItem,
    f"""
    with ids as (
      select account_id, id from payments.payments where id = %(id)s::uuid
      union select account_id, id from payments.payments where gateway = any(%(gateways)s) and reference = %(text)s
      union select account_id, id from payments.payments where track_id = %(text)s
      union select account_id, id from payments.payments where receipt_number = %(receipt)s::bigint
      union select account_id, payment_id from payments.gateway_refs where gateway = any(%(gateways)s) and ref = %(text)s
    )
    {_PAYMENT} join ids i on i.account_id = p.account_id and i.id = p.id
     order by p.id desc limit 10
    """,
)
OF_ACCOUNT = Statement(PaymentListItem, f"{_PAYMENT} where p.account_id = %(account)s order by p.id desc limit %(limit)s")
EVENT = Statement(EventHit, "select id, type, object_id from stripe_mirror.events where id = %(text)s")


class Hourly(msgspec.Struct, frozen=True):
    """A sum of what happened in one hour (its start, UTC): `key` is paid, returned or tokens."""

    hour: datetime
    key: str
    gateway: str
    currency: str
    value: int


MONEY = Statement(
    Hourly,
    """
    with paid as (
      select date_trunc('hour', paid_at, 'UTC') as hour, gateway, currency, amount, asset, quantity from payments.payments
       where paid_at >= %(since)s
    )
    select hour, 'paid' as key, gateway, currency, sum(amount)::bigint as value from paid group by 1, 3, 4
    union all
    select hour, 'tokens', '', '', sum(quantity)::bigint from paid where asset = 'token' group by 1
    union all
    select date_trunc('hour', r.created_at, 'UTC'), 'returned', p.gateway, p.currency, sum(r.amount)::bigint
      from payments.reversals r join payments.payments p on p.account_id = r.account_id and p.id = r.payment_id
     where r.created_at >= %(since)s group by 1, 3, 4
    """,
)
