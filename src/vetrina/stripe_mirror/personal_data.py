"""Personal data in the mirror: links of Stripe customers to the account.

Data held by Stripe is deleted at Stripe; its event `customer.deleted` clears the copy here.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import PersonalData, TableRule

EXPORT_LINKS = Statement(
    dict[str, Any],
    "select to_jsonb(l) - 'account_id' as row from stripe_mirror.links l where account_id = %(account)s order by customer_id",
)
ERASE_LINKS = Statement(NoneType, "delete from stripe_mirror.links where account_id = %(account)s")

PERSONAL_DATA = PersonalData("stripe_mirror", [TableRule("stripe_mirror.links", EXPORT_LINKS, ERASE_LINKS)])
