"""SQL of signing in."""

from __future__ import annotations

from uuid import UUID

from vetrina.accounts.sign_in.model import KindCredentials
from vetrina.core.database.connection import Statement

# A code identifies the owner only where the number was confirmed before: anyone can register with another person's number and
# a password of their own.
ACCOUNT_BY_PHONE = Statement(
    UUID,
    """
    select id from accounts.accounts
     where kind = %(kind)s and phone = %(phone)s and phone_verified_at is not null and is_active
    """,
)

WELCOME_TOKENS = Statement(
    int, "select coalesce((select (value #>> '{}')::integer from core.settings where key = 'wallet.welcome_tokens'), 0) as tokens"
)

CREDENTIALS_OF_KINDS = Statement(
    KindCredentials,
    """
    select id, kind, password_hash, is_active,
           encode(sha256(convert_to(coalesce(password_hash, ''), 'UTF8')), 'hex') as fingerprint
      from accounts.accounts
     where email = %(email)s::text or phone = %(phone)s::text
     order by kind
    """,
)
