"""Personal data of the wallet. The ledger is kept under the bare account id; the membership ends."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import LEDGER, PersonalData, TableRule
from vetrina.wallet.adjustments import queries as adjustments

WALLETS = Statement(
    dict[str, Any], "select to_jsonb(w) - 'account_id' as row from wallet.wallets w where account_id = %(account)s order by asset"
)
GRANTS = Statement(
    dict[str, Any], "select to_jsonb(g) - 'account_id' as row from wallet.grants g where account_id = %(account)s order by id"
)
HOLDS = Statement(
    dict[str, Any], "select to_jsonb(h) - 'account_id' as row from wallet.holds h where account_id = %(account)s order by id"
)
ENTRIES = Statement(
    dict[str, Any],
    "select to_jsonb(e) - 'account_id' as row from wallet.entries e where account_id = %(account)s order by position",
)
SHORTFALLS = Statement(
    dict[str, Any],
    "select to_jsonb(s) - 'account_id' as row from wallet.shortfalls s where account_id = %(account)s order by grant_id",
)
MEMBERSHIP = Statement(
    dict[str, Any], "select to_jsonb(m) - 'account_id' as row from wallet.memberships m where account_id = %(account)s"
)
PERIODS = Statement(
    dict[str, Any], "select to_jsonb(p) - 'account_id' as row from wallet.periods p where account_id = %(account)s order by id"
)
END_MEMBERSHIP = Statement(NoneType, "delete from wallet.memberships where account_id = %(account)s")

PERSONAL_DATA = PersonalData(
    "wallet",
    [
        TableRule("wallet.memberships", MEMBERSHIP, END_MEMBERSHIP),
        TableRule("wallet.periods", PERIODS, None, LEDGER),
        TableRule("wallet.wallets", WALLETS, None, LEDGER),
        TableRule("wallet.grants", GRANTS, None, LEDGER),
        TableRule("wallet.holds", HOLDS, None, LEDGER),
        TableRule("wallet.adjustments", adjustments.EXPORT, adjustments.ERASE_REASONS),
        TableRule("wallet.entries", ENTRIES, None, LEDGER),
        TableRule("wallet.shortfalls", SHORTFALLS, None, LEDGER),
    ],
)
