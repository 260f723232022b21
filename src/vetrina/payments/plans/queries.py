"""SQL of plans that a gateway renews. The steps are functions in the migrations."""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.payments.model import PaymentRow
from vetrina.payments.queries import COLUMNS


class Renewed(msgspec.Struct, frozen=True):
    """The gateway that renews a membership, and its subscription."""

    gateway: str | None
    subscription_ref: str | None


class FirstPayment(PaymentRow, frozen=True):
    """The payment that opened a subscription, and whether its account was erased."""

    is_erased: bool


RENEW = Statement(
    bool,
    """
    select payments.renew(%(account)s, %(first)s, %(plan)s, %(invoice)s, %(subscription)s, %(amount)s, %(credit)s,
                          %(currency)s, %(starts_at)s, %(ends_at)s)
    """,
)
END_RENEWALS = Statement(bool, "select wallet.end_renewals(%(account)s, %(ref)s)")
ENDS_LATER = Statement(bool, "select wallet.set_cancel_at_period_end(%(account)s, %(ref)s, %(ends)s)")
RENEWED = Statement(Renewed, "select gateway, subscription_ref from wallet.memberships where account_id = %(account)s")
RENEWED_OF_DISABLED = Statement(
    str,
    """
    select m.subscription_ref from wallet.memberships m join accounts.accounts a on a.id = m.account_id and not a.is_active
     where m.account_id = %(account)s and m.subscription_ref is not null and not m.cancel_at_period_end
    """,
)
PENDING = Statement(UUID, "select id from payments.payments where account_id = %(account)s and status = 'pending'")
FIRST_PAYMENT = Statement(
    FirstPayment,
    f"""
    select {COLUMNS}, a.erased_at is not null as is_erased
      from payments.payments p join accounts.accounts a on a.id = p.account_id
     where p.account_id = %(account)s and p.id = %(id)s
    """,
)
