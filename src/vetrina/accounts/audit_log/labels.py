"""The audit log in words: what an action is called, who did it, what else there is to say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vetrina.accounts import user_agents
from vetrina.core.audit import Row
from vetrina.core.module import Modules
from vetrina.web.i18n import say


def title(modules: Modules, action: str) -> str:
    """Return what an action is called; one without a title still reads as words."""
    return say(modules.audit_titles.get(action, "")) or action.replace("_", " ").capitalize()


def by(row: Row, reader: UUID) -> str:
    """Return you, operator, vetrina or other_user: what the account's owner may know of the actor."""
    if row.actor_id == reader:
        return "you"
    return {"admin": "operator", "system": "vetrina"}.get(row.actor_type, "other_user")


def remark(modules: Modules, row: Row) -> str:
    """Return the details of a row, such as a device, a role or an amount; empty if there are none."""
    metadata: dict[str, Any] = row.metadata
    if row.action == "signed_in" and row.said:
        return user_agents.title(row.said.get("device"))
    if row.action in {"role_granted", "role_revoked"}:
        return row.resource_id or ""
    if (detail := modules.audit_details.get(row.action)) is not None and (text := detail(metadata)):
        why = (row.said or {}).get("why")
        return f"{text}: {why}" if why else text
    if row.action == "setting_changed":
        return f"{row.resource_id}: {metadata['from']} → {metadata['to']}"
    if row.said and "name" in row.said:
        return str(row.said["name"])
    if row.said and "to" in row.said:
        return f"{row.said.get('from') or '–'} → {row.said.get('to') or '–'}"
    return str(metadata.get("why") or (row.said or {}).get("why") or "")
