"""Personal data of payments. Money rows are never deleted; card masks and return addresses are cleared."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import LEDGER, PersonalData, TableRule
from vetrina.payments.plans.erasure import end_at_gateways

PAYMENTS = Statement(
    dict[str, Any], "select to_jsonb(p) - 'account_id' as row from payments.payments p where account_id = %(account)s order by id"
)
DISPUTES = Statement(
    dict[str, Any], "select to_jsonb(d) - 'account_id' as row from payments.disputes d where account_id = %(account)s order by id"
)
REVERSALS = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from payments.reversals r where account_id = %(account)s order by id",
)
REFUNDS = Statement(
    dict[str, Any], "select to_jsonb(r) - 'account_id' as row from payments.refunds r where account_id = %(account)s order by id"
)
FAILURES = Statement(
    dict[str, Any],
    "select to_jsonb(f) - 'account_id' as row from payments.failed_transactions f where account_id = %(account)s order by id",
)
CUSTOMERS = Statement(
    dict[str, Any],
    "select to_jsonb(c) - 'account_id' as row from payments.customers c where account_id = %(account)s order by gateway",
)
BARE = Statement(
    NoneType,
    """
    update payments.payments set card_mask = null, checkout_url = null, callback_url = null, return_url = null
     where account_id = %(account)s
    """,
)
ERASE_CUSTOMERS = Statement(NoneType, "delete from payments.customers where account_id = %(account)s")

PERSONAL_DATA = PersonalData(
    "payments",
    [
        TableRule("payments.payments", PAYMENTS, BARE),
        TableRule("payments.customers", CUSTOMERS, ERASE_CUSTOMERS),
        TableRule("payments.gateway_refs", None, None, "a gateway's reference of a payment, which the payment tells too"),
        TableRule("payments.refunds", REFUNDS, None, LEDGER),
        TableRule("payments.disputes", DISPUTES, None, LEDGER),
        TableRule("payments.reversals", REVERSALS, None, LEDGER),
        TableRule("payments.failed_transactions", FAILURES, None, LEDGER),
    ],
    before=end_at_gateways,
)
