"""SQL of confirmations, which are kept with the session."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement

# A fresh sign-in counts: it is how an account without a password or a second factor confirms.
CONFIRMED_SESSION = Statement(
    UUID,
    """
    select id from accounts.sessions
     where account_id = %(account)s and id = %(session)s and revoked_at is null
       and greatest(created_at, confirmed_at) > now() - interval '10 minutes'
    """,
)
CONFIRM = Statement(
    NoneType,
    """
    update accounts.sessions set confirmed_at = now()
     where account_id = %(account)s and id = %(session)s and revoked_at is null
    """,
)
