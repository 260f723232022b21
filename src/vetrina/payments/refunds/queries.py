"""SQL of what happens around and after a sale: customers, refunds, disputes, charges that failed. The steps are functions in
the migration."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.payments.model import PaymentRow, ReceiptRow, RefundRow, Who
from vetrina.payments.queries import COLUMNS

WHO = Statement(
    Who,
    """
    select a.email, u.name, c.ref
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join payments.customers c on c.account_id = a.id and c.gateway = 'stripe'
     where a.id = %(account)s
    """,
)
INSERT_CUSTOMER = Statement(
    NoneType,
    """
    insert into payments.customers (account_id, gateway, ref) values (%(account)s, 'stripe', %(ref)s)
    on conflict (account_id, gateway) do nothing
    """,
)

BY_REFERENCE = Statement(
    PaymentRow,
    f"select {COLUMNS} from payments.payments p where p.gateway = 'stripe' and p.reference = %(reference)s limit 1",
)
# What the mirror has heard of the intent or of a charge of it says whose it is.
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
    "select payments.tell_refund(%(account)s, %(id)s, %(ours)s, %(ref)s, %(amount)s, %(status)s, %(error)s)",
)
TELL_REFUNDED = Statement(bool, "select payments.tell_refunded(%(account)s, %(id)s, %(ref)s, %(total)s)")
TELL_DISPUTE = Statement(
    bool, "select payments.tell_dispute(%(account)s, %(id)s, %(dispute)s, %(amount)s, %(status)s, %(reason)s)"
)
INSERT_FAILURE = Statement(
    NoneType,
    """
    insert into payments.failed_transactions (account_id, payment_id, gateway, ref, amount, currency, code, reason, failed_at)
    values (%(account)s, %(id)s, 'stripe', %(ref)s, %(amount)s, %(currency)s, %(code)s, %(reason)s, %(at)s)
    on conflict on constraint failure_told_once do nothing
    """,
)

ASK_REFUND = Statement(
    bool, "select payments.ask_refund(%(account)s, %(payment)s, %(id)s, %(amount)s, %(reason)s::text, %(by)s::uuid)"
)
REFUND = Statement(
    RefundRow,
    """
    select id, payment_id, ref, amount, status, reason, error from payments.refunds
     where account_id = %(account)s and id = %(id)s
    """,
)

RECEIPT = Statement(
    ReceiptRow,
    """
    select a.email, a.phone, coalesce(v.business_name, u.name) as name,
           (select value #>> '{}' from core.settings where key = 'payments.seller_name') as seller_name,
           (select value #>> '{}' from core.settings where key = 'payments.seller_address') as seller_address,
           (select value #>> '{}' from core.settings where key = 'payments.seller_tax_number') as seller_tax_number,
           (select coalesce(jsonb_agg(jsonb_build_object('at', r.created_at, 'amount', r.amount) order by r.created_at), '[]')
              from payments.reversals r
             where r.account_id = a.id and r.payment_id = %(payment)s and r.kind = 'refund' and r.amount <> 0) as refunds
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.id = %(account)s
    """,
)
