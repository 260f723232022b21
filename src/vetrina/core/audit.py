"""The audit log: who did what to what, from where. Written in the transaction that does it, never changed.

Each account that something happens to has a chain of its own: a row carries the hash of the one before it, and
`core.audit_heads` tells the last. What belongs to no account stands in the house's chain.
"""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.db import Statement, Tx
from vetrina.core.ids import new_id

HOUSE = UUID(int=0)
"""Whose chain holds what belongs to no account: settings, the whole site's doings."""


class Actor(msgspec.Struct, frozen=True):
    """Who acts: `type` is system, user, vendor or admin; `ip` where from, if that is known."""

    type: str
    id: UUID | None = None
    ip: str | None = None


SYSTEM = Actor("system")
"""The house itself: jobs, gateways that call back, the operator's shell."""

INSERT = Statement(
    NoneType,
    """
    insert into core.audit_logs (account_id, id, actor_type, actor_id, ip, action, resource, resource_id, metadata)
    values (%(account)s, %(id)s, %(actor_type)s, %(actor)s, %(ip)s::inet, %(action)s, %(resource)s, %(resource_id)s, %(metadata)s)
    """,
)


async def record(
    tx: Tx, actor: Actor, action: str, account: UUID | None, *, resource: tuple[str, object] | None = None, **metadata: Any
) -> None:
    """Write down that `actor` did `action` to what belongs to `account` (None: to the house).

    `resource` is a table's word and the row's id; `metadata` anything that JSON holds, and no secrets.
    """
    await tx.do(
        INSERT,
        account=account or HOUSE,
        id=new_id(),
        actor_type=actor.type,
        actor=actor.id,
        ip=actor.ip,
        action=action,
        resource=resource[0] if resource else None,
        resource_id=str(resource[1]) if resource else None,
        metadata=Jsonb(metadata),
    )
