"""SQL of refunds, disputes and failed charges. The steps are functions in the migrations."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.payments.model import PaymentRow, RefundRow, Surplus
from vetrina.payments.queries import COLUMNS

BY_REFERENCE = Statement(
    PaymentRow,
    f"select {COLUMNS} from payments.payments p where p.gateway = 'stripe' and p.reference = %(reference)s limit 1",
)
# The mirror's copy of the intent or of one of its charges names the payment.
MARKS = Statement(
    dict[str, Any],
    """
    select metadata from stripe_mirror.payment_intents where id = %(intent)s and metadata ? 'vetrina_payment' union all
    select metadata from stripe_mirror.charges
     where (id = %(charge)s or payment_intent_id = %(intent)s) and metadata ? 'vetrina_payment' limit 1
    """,
)
NOTE_CARD = Statement(
    NoneType,
    """
    update payments.payments set reference = coalesce(reference, %(reference)s), card_mask = coalesce(card_mask, %(card_mask)s)
     where account_id = %(account)s and id = %(id)s and paid_at is not null and (reference is null or card_mask is null)
    """,
)
TELL_REFUND = Statement(
    bool,
    "select payments.record_refund(%(account)s, %(id)s, %(ours)s, %(ref)s, %(amount)s, %(status)s, %(error)s)",
)
TELL_REFUNDED = Statement(bool, "select payments.record_refunded_total(%(account)s, %(id)s, %(ref)s, %(total)s)")
TELL_DISPUTE = Statement(
    bool, "select payments.record_dispute(%(account)s, %(id)s, %(dispute)s, %(amount)s, %(status)s, %(reason)s)"
)
INSERT_FAILURE = Statement(
    NoneType,
    """
    insert into payments.failed_transactions (account_id, payment_id, gateway, ref, amount, currency, code, reason, failed_at)
    values (%(account)s, %(id)s, 'stripe', %(ref)s, %(amount)s, %(currency)s, %(code)s, %(reason)s, %(at)s)
    on conflict on constraint failure_recorded_once do nothing
    """,
)

# A payment that no longer fitted the plan, and where to write to its buyer.
SURPLUS = Statement(
    Surplus,
    """
    select case when a.email_verified_at is not null then a.email end as email,
           case when a.phone_verified_at is not null then a.phone end as phone, n.display_name as plan, p.amount, p.currency,
           a.language
      from payments.payments p
      join accounts.accounts a on a.id = p.account_id
      join wallet.plans n on n.id = p.plan_id
     where p.account_id = %(account)s and p.id = %(payment)s
    """,
)
ASK_REFUND = Statement(
    bool, "select payments.request_refund(%(account)s, %(payment)s, %(id)s, %(amount)s, %(reason)s::text, %(by)s::uuid)"
)
REFUND = Statement(
    RefundRow,
    """
    select id, payment_id, ref, amount, status, reason, error from payments.refunds
     where account_id = %(account)s and id = %(id)s
    """,
)
