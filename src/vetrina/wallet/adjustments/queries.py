"""SQL of adjustments."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.wallet.adjustments.model import Adjustment, Position

ADJUST = Statement(
    bool,
    "select wallet.adjust(%(account)s, %(id)s, %(asset)s, %(quantity)s, %(reason)s, %(author)s::uuid)",
)
ONE = Statement(
    Adjustment,
    """
    select id, asset, quantity, reason, author_id, created_at from wallet.adjustments
     where account_id = %(account)s and id = %(id)s
    """,
)
LIST = Statement(
    Adjustment,
    """
    select id, asset, quantity, reason, author_id, created_at from wallet.adjustments
     where account_id = %(account)s and id < %(before)s order by id desc limit %(limit)s
    """,
)
BALANCE = Statement(int, "select balance from wallet.wallets where account_id = %(account)s and asset = %(asset)s")
POSITIONS = Statement(
    Position,
    """
    select asset, balance, held, frozen from wallet.wallets where account_id = %(account)s
     order by array_position(array['token', 'conversion', 'image_slot', 'contact', 'posting'], asset::text)
    """,
)
EXPORT = Statement(
    dict[str, Any],
    """
    select to_jsonb(a) - 'account_id' - 'author_id' as row from wallet.adjustments a where account_id = %(account)s order by id
    """,
)
ERASE_REASONS = Statement(
    NoneType, "update wallet.adjustments set reason = null where account_id = %(account)s and reason is not null"
)
