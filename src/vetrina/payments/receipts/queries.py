"""SQL of receipts."""

from __future__ import annotations

from vetrina.core.database.connection import Statement
from vetrina.payments.model import ReceiptRow

RECEIPT = Statement(
    ReceiptRow,
    """
    select a.email, a.phone, coalesce(v.business_name, u.name) as name,
           (select value #>> '{}' from core.settings where key = 'payments.seller_name') as seller_name,
           (select value #>> '{}' from core.settings where key = 'payments.seller_address') as seller_address,
           (select value #>> '{}' from core.settings where key = 'payments.seller_tax_number') as seller_tax_number,
           (select value #>> '{}' from core.settings where key = 'payments.seller_time_zone') as seller_time_zone,
           (select coalesce(jsonb_agg(jsonb_build_object('at', r.created_at, 'amount', r.amount) order by r.created_at), '[]')
              from payments.reversals r
             where r.account_id = a.id and r.payment_id = %(payment)s and r.kind = 'refund' and r.amount <> 0) as refunds
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.id = %(account)s
    """,
)
