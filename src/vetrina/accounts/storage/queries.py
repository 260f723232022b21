"""SQL of storage. The counters are kept by triggers of the tables whose rows have bytes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vetrina.accounts.storage.model import StorageLimit, StorageUse
from vetrina.core.database.connection import Statement

USE = Statement(
    StorageUse,
    """
    select s.file_bytes + s.export_bytes as used_bytes, accounts.storage_limit(s) as limit_bytes, s.export_bytes
      from accounts.storage s where s.account_id = %(account)s
    """,
)
LIMIT = Statement(
    StorageLimit,
    """
    select s.file_bytes + s.export_bytes as used_bytes, accounts.storage_limit(s) as limit_bytes, s.export_bytes, s.own_mb
      from accounts.storage s where s.account_id = %(account)s
    """,
)
# A trigger writes the change to the audit log. Erased accounts stay as they are.
SET_LIMIT = Statement(
    UUID,
    """
    update accounts.storage s set own_mb = %(mb)s
      from accounts.accounts a
     where s.account_id = %(account)s and a.id = s.account_id and a.erased_at is null
    returning s.account_id
    """,
)
EXPORT = Statement(
    dict[str, Any], "select to_jsonb(s) - 'account_id' as row from accounts.storage s where account_id = %(account)s"
)
