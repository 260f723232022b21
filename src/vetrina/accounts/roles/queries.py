"""SQL of roles."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement

ROLES_OF_SESSION = Statement(
    list[str],
    """
    select array(select r.role from accounts.user_roles r where r.account_id = s.account_id) as roles
      from accounts.sessions s join accounts.accounts a on a.id = s.account_id
     where s.account_id = %(account)s and s.id = %(session)s and s.revoked_at is null and s.expires_at > now() and a.is_active
    """,
)
ROLES = Statement(str, "select role from accounts.user_roles where account_id = %(account)s order by role")
GRANT = Statement(
    NoneType,
    """
    insert into accounts.user_roles (account_id, role) values (%(account)s, %(role)s) on conflict do nothing
    """,
)
# The superusers are locked first, so that two revocations at once cannot remove the last two.
REVOKE = Statement(
    str,
    """
    with superusers as materialized (
      select account_id from accounts.user_roles where role = 'superuser' order by account_id for update
    )
    delete from accounts.user_roles
     where account_id = %(account)s and role = %(role)s
       and (role <> 'superuser' or (select count(*) from superusers) > 1)
    returning role
    """,
)
BY_EMAIL = Statement(UUID, "select id from accounts.accounts where kind = %(kind)s and email = %(email)s")
