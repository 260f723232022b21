"""SQL of the page of prices."""

from __future__ import annotations

import msgspec

from vetrina.core.database.connection import Statement


class Terms(msgspec.Struct, frozen=True):
    """Settings that the page states: tokens of a new account, days of grace for an unpaid plan."""

    welcome_tokens: int
    grace_days: int


TERMS = Statement(
    Terms,
    """
    select (select (value #>> '{}')::integer from core.settings where key = 'wallet.welcome_tokens') as welcome_tokens,
           (select (value #>> '{}')::integer from core.settings where key = 'wallet.grace_days') as grace_days
    """,
)
