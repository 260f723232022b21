"""SQL of payments. Settling and ending are functions in the migrations: each changes several rows in one step."""

from __future__ import annotations

from types import NoneType
from typing import LiteralString

from vetrina.core.database.connection import Statement
from vetrina.payments.model import ExpiredPayment, PaymentRow, UncertainPayment

# A process that takes over the work of a dead one finds the row already there.
INSERT = Statement(
    NoneType,
    """
    insert into payments.payments
      (account_id, id, kind, gateway, pack_id, plan_id, asset, quantity, amount, currency, credit, credit_period, description,
       callback_url, return_url, expires_at)
    values (%(account)s, %(id)s, %(kind)s, %(gateway)s, %(pack)s, %(plan)s, %(asset)s, %(quantity)s, %(amount)s, %(currency)s,
            %(credit)s, %(credit_period)s, %(description)s, %(callback_url)s, %(return_url)s, now() + %(lifetime)s)
    on conflict (account_id, id) do nothing
    """,
)
# The same checkout twice is the same payment's; HAS_REF, which sees what was committed meanwhile, tells which.
INSERT_REF = Statement(
    NoneType,
    """
    insert into payments.gateway_refs (gateway, ref, account_id, payment_id)
    values (%(gateway)s, %(ref)s, %(account)s, %(id)s)
    on conflict on constraint gateway_refs_pkey do nothing
    """,
)
HAS_REF = Statement(
    bool,
    """
    select exists (select from payments.gateway_refs
                    where gateway = %(gateway)s and ref = %(ref)s and account_id = %(account)s and payment_id = %(id)s)
    """,
)
OPEN = Statement(
    NoneType,
    """
    update payments.payments set checkout_url = %(url)s, track_id = %(ref)s
     where account_id = %(account)s and id = %(id)s and status = 'pending'
    """,
)

SETTLE = Statement(bool, "select payments.settle(%(account)s, %(id)s, %(reference)s::text, %(card_mask)s::text)")
GIVE_UP = Statement(bool, "select payments.close_unpaid(%(account)s, %(id)s, %(status)s, %(reason)s::text)")

COLUMNS: LiteralString = """
           p.account_id, p.id, p.kind, p.status, p.gateway, p.pack_id, p.plan_id, p.asset, p.quantity, p.amount, p.currency,
           p.description, p.checkout_url, p.callback_url, p.return_url, p.reference, p.card_mask, p.failure_reason, p.paid_at,
           p.expires_at, p.created_at, p.refunded, p.disputed, p.receipt_number"""

ONE = Statement(PaymentRow, f"select {COLUMNS} from payments.payments p where p.account_id = %(account)s and p.id = %(id)s")
BY_REF = Statement(
    PaymentRow,
    f"""
    select {COLUMNS}
      from payments.gateway_refs r
      join payments.payments p on p.account_id = r.account_id and p.id = r.payment_id
     where r.gateway = %(gateway)s and r.ref = %(ref)s
    """,
)
HISTORY = Statement(
    PaymentRow,
    f"""
    select {COLUMNS} from payments.payments p
     where p.account_id = %(account)s and p.id < %(before)s and (%(status)s::text is null or p.status = %(status)s)
     order by p.id desc limit %(limit)s
    """,
)
# An open checkout for the same purchase at the same price.
OPEN_CHECKOUT = Statement(
    PaymentRow,
    f"""
    select {COLUMNS}
      from payments.payments p
      join wallet.packs k on k.id = p.pack_id and k.is_active
     where p.account_id = %(account)s and p.status = 'pending' and p.checkout_url is not null and p.pack_id = %(pack)s
       and p.gateway = %(gateway)s and (p.quantity, p.amount, p.currency) = (k.quantity, k.price, k.currency)
       and p.return_url is not distinct from %(return_url)s and p.expires_at > now() + interval '10 minutes'
     order by p.id desc limit 1
    """,
)
REF = Statement(
    str,
    """
    select ref from payments.gateway_refs
     where account_id = %(account)s and payment_id = %(id)s order by created_at desc limit 1
    """,
)
DUE = Statement(
    ExpiredPayment,
    """
    select p.account_id, p.id, p.gateway, p.expires_at,
           (select r.ref from payments.gateway_refs r
             where r.account_id = p.account_id and r.payment_id = p.id order by r.created_at desc limit 1) as ref
      from payments.payments p
     where p.status = 'pending' and p.expires_at <= now() and (p.expires_at, p.id) > (%(after)s::timestamptz, %(after_id)s::uuid)
     order by p.expires_at, p.id limit %(limit)s
    """,
)

# Pending ones, and for two days those that ended unpaid but may have been paid since. The sandbox records its result at
# once.
CLAIM_DOUBTS = Statement(
    UncertainPayment,
    """
    update payments.payments p set asked_at = now()
      from (select d.account_id, d.id, r.ref
              from payments.payments d
              join payments.gateway_refs r on r.account_id = d.account_id and r.payment_id = d.id
             where d.gateway <> 'sandbox' and d.status in ('pending', 'failed', 'cancelled', 'expired')
               and d.created_at between now() - interval '2 days' and now() - %(young)s::interval
               and (d.asked_at is null
                    or d.asked_at < now() - case d.status when 'pending' then %(pause)s::interval else %(long)s::interval end)
             order by d.created_at limit %(limit)s
               for update of d skip locked) due
     where p.account_id = due.account_id and p.id = due.id
    returning p.account_id, p.id, due.ref
    """,
)
DOUBTS_BY_REF = Statement(
    UncertainPayment,
    """
    select account_id, payment_id as id, ref from payments.gateway_refs
     where gateway = %(gateway)s and ref = any(%(refs)s::text[])
    """,
)
