"""SQL of identities at providers."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.accounts.identities.model import IdentityAccount, IdentityRow
from vetrina.core.database.connection import Statement

# A nonce is spent once; a second attempt gets no row.
SPEND_NONCE = Statement(
    bool,
    """
    insert into accounts.spent_nonces (nonce_hash, expires_at) values (%(hash)s, now() + make_interval(mins => %(minutes)s))
    on conflict do nothing returning true as spent
    """,
)
DELETE_OLD_NONCES = Statement(NoneType, "delete from accounts.spent_nonces where expires_at < now()")

IDENTITY_ACCOUNT = Statement(
    IdentityAccount,
    """
    with used as (
      update accounts.identities set last_used_at = now(), email = %(email)s where issuer = %(issuer)s and subject = %(subject)s
      returning account_id
    )
    select a.id, a.kind, a.is_active from used join accounts.accounts a on a.id = used.account_id
    """,
)

# An address that the provider has verified counts as confirmed.
INSERT_ACCOUNT = Statement(
    UUID,
    """
    with account as (
      insert into accounts.accounts (id, kind, email, email_verified_at, last_login_at)
      values (%(id)s, %(kind)s, %(email)s, case when %(email)s::text is not null then now() end, now())
      returning id, kind, email
    ), face as (
      insert into accounts.users (account_id, name) select id, left(%(name)s, 120) from account where kind = 'user'
    ), business as (
      insert into accounts.vendors (account_id, business_name)
      select id, coalesce(left(%(name)s, 120), split_part(email, '@', 1), 'New business') from account where kind = 'vendor'
    )
    select id from account
    """,
)

_COLUMNS = "id, provider, issuer, subject, email, last_used_at, created_at"
INSERT = Statement(
    IdentityRow,
    f"""
    insert into accounts.identities (issuer, subject, account_id, id, provider, email)
    values (%(issuer)s, %(subject)s, %(account)s, %(id)s, %(provider)s, %(email)s)
    returning {_COLUMNS}
    """,
)
# An identity of the same account is returned as it is; one of another account gives no row.
LINK = Statement(
    IdentityRow,
    f"""
    insert into accounts.identities (issuer, subject, account_id, id, provider, email)
    values (%(issuer)s, %(subject)s, %(account)s, %(id)s, %(provider)s, %(email)s)
    on conflict (issuer, subject) do update set last_used_at = now(), email = excluded.email
     where accounts.identities.account_id = excluded.account_id
    returning {_COLUMNS}
    """,
)
IDENTITIES = Statement(
    IdentityRow, f"select {_COLUMNS} from accounts.identities where account_id = %(account)s order by created_at, id"
)
UNLINK = Statement(str, "delete from accounts.identities where account_id = %(account)s and id = %(id)s returning provider")

EXPORT_IDENTITIES = Statement(
    dict[str, Any],
    "select to_jsonb(i) - 'account_id' as row from accounts.identities i where account_id = %(account)s order by id",
)
ERASE_IDENTITIES = Statement(NoneType, "delete from accounts.identities where account_id = %(account)s")
