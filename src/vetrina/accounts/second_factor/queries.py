"""SQL of the second factor."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from uuid import UUID

from vetrina.accounts.second_factor.model import FactorRow, FactorState, OwnerProof
from vetrina.core.database.connection import Statement

OWNER_PROOF = Statement(
    OwnerProof,
    "select password_hash, coalesce(email, phone, handle, '') as label from accounts.accounts where id = %(account)s",
)

# No row when a second factor is enabled already.
BEGIN = Statement(
    UUID,
    """
    insert into accounts.second_factors as f (account_id, secret) values (%(account)s, %(secret)s)
    on conflict (account_id) do update set secret = excluded.secret, last_step = 0 where f.confirmed_at is null
    returning f.account_id
    """,
)

# Locked, because the code is checked outside of the database: the lock serializes guesses.
LOCK = Statement(
    FactorRow,
    """
    select secret, confirmed_at, last_step, attempt_count,
           extract(epoch from now() - attempts_since)::float8 as seconds_since
      from accounts.second_factors where account_id = %(account)s for update
    """,
)
ACCEPT_CODE = Statement(
    NoneType,
    """
    update accounts.second_factors
       set attempt_count = 0, last_step = greatest(last_step, %(step)s), confirmed_at = coalesce(confirmed_at, now())
     where account_id = %(account)s
    """,
)
COUNT_WRONG_CODE = Statement(
    NoneType,
    """
    update accounts.second_factors set attempt_count = %(count)s, attempts_since = now() where account_id = %(account)s
    """,
)

USE_RECOVERY_CODE = Statement(
    UUID,
    """
    update accounts.recovery_codes set used_at = now()
     where account_id = %(account)s and code_hash = any(%(hashes)s) and used_at is null
    returning account_id
    """,
)
DELETE_RECOVERY_CODES = Statement(NoneType, "delete from accounts.recovery_codes where account_id = %(account)s")
INSERT_RECOVERY_CODES = Statement(
    NoneType,
    "insert into accounts.recovery_codes (account_id, code_hash) select %(account)s, unnest(%(hashes)s::bytea[])",
)

REMOVE = Statement(UUID, "delete from accounts.second_factors where account_id = %(account)s returning account_id")

STATE = Statement(
    FactorState,
    """
    select f.confirmed_at is not null as enabled, f.confirmed_at,
           (select count(*) from accounts.recovery_codes r
             where r.account_id = a.id and r.used_at is null)::integer as recovery_codes_left
      from accounts.accounts a left join accounts.second_factors f on f.account_id = a.id
     where a.id = %(account)s
    """,
)

REQUEST_REMOVAL = Statement(
    NoneType,
    """
    insert into accounts.second_factor_removals (account_id, due_at)
    values (%(account)s, now() + make_interval(days => %(days)s))
    on conflict (account_id) do nothing
    """,
)
CANCEL_REMOVAL = Statement(NoneType, "delete from accounts.second_factor_removals where account_id = %(account)s")
REMOVE_DUE = Statement(
    UUID,
    """
    delete from accounts.second_factors f using accounts.second_factor_removals r
     where r.account_id = f.account_id and r.due_at <= now()
    returning f.account_id
    """,
)
REMOVAL_DUE_AT = Statement(datetime, "select due_at from accounts.second_factor_removals where account_id = %(account)s")
