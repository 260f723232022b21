"""SQL of signing in."""

from __future__ import annotations

from vetrina.accounts.sign_in.model import KindCredentials
from vetrina.core.database.connection import Statement

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
