"""What the mirror holds of somebody: which of Stripe's customers they are. What Stripe itself knows is Stripe's to delete;
its `customer.deleted` empties the copy here."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import Part, Personal

LINKS = Statement(
    dict[str, Any],
    "select to_jsonb(l) - 'account_id' as row from stripe_mirror.links l where account_id = %(account)s order by customer_id",
)
FORGET_LINKS = Statement(NoneType, "delete from stripe_mirror.links where account_id = %(account)s")

PART = Part("stripe_mirror", [Personal("stripe_mirror.links", LINKS, FORGET_LINKS)])
