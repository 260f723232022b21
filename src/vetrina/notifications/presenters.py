"""Notifications as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.module import NotificationKind
from vetrina.core.services import Services
from vetrina.notifications.model import Actor, GroupRow
from vetrina.web import i18n, money
from vetrina.web.i18n import N_, say


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """Notifications of one kind and subject. `total` is how many there are, at most 1000; `href` is their page."""

    id: UUID
    kind: str
    subject: str
    text: str
    href: str
    is_read: bool
    total: int
    actors: list[Actor]
    created_at: datetime


SOMEONE = N_("An account")
"""Who has neither name nor handle."""


def notifications(services: Services, rows: list[GroupRow]) -> list[Notification]:
    """Return the rows of kinds that a loaded module declares, in the current language."""
    kinds = services.modules.notification_kinds
    return [notification(kinds[row.kind], row) for row in rows if row.kind in kinds]


def notification(kind: NotificationKind, row: GroupRow) -> Notification:
    """Return a row in the current language."""
    return Notification(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        text=text(kind, row),
        href=kind.href.format(subject=row.subject),
        is_read=row.is_read,
        total=row.total,
        actors=msgspec.convert(row.actors, list[Actor]),
        created_at=row.created_at,
    )


def text(kind: NotificationKind, row: GroupRow) -> str:
    """Return the words of a group: "Ada and 12 others liked your post"."""
    values = _values(row.details)
    values["name"] = (row.actors[0]["name"] if row.actors else None) or say(SOMEONE)
    one, many = kind.many
    if row.total > 1 and one:
        return i18n.count(one, many, row.total - 1, **values)
    return say(kind.one, **values)


def _values(details: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in details.items() if isinstance(value, str | int)}
    if isinstance(details.get("amount"), int) and isinstance(details.get("currency"), str):
        values["amount"] = money.format_amount(details["amount"], details["currency"])
    return values
