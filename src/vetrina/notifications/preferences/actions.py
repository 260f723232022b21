"""What an account is notified of, by kind and channel."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.errors import NotFound
from vetrina.core.module import NotificationKind
from vetrina.core.services import Services
from vetrina.notifications.model import Channel, PreferenceRow
from vetrina.notifications.preferences import queries
from vetrina.notifications.queries import PREFERENCES


class Preference(msgspec.Struct, frozen=True):
    """Whether an account is notified of a kind on its page (`app`), in the daily mail, by push."""

    kind: str
    title: str
    app: bool
    mail: bool
    push: bool


def default(kind: NotificationKind, channel: Channel) -> bool:
    """Return whether a channel is on where the account has chosen nothing."""
    return {Channel.APP: True, Channel.MAIL: kind.mail, Channel.PUSH: kind.push}[channel]


async def chosen(tx: Tx, services: Services, account: UUID) -> dict[tuple[str, Channel], bool]:
    """Return for every kind and channel whether it is on."""
    rows = {(row.kind, row.channel): row.is_on for row in await tx.fetch_all(PREFERENCES, account=account)}
    kinds = services.modules.notification_kinds.values()
    return {
        (kind.name, channel): rows.get((kind.name, channel.value), default(kind, channel))
        for kind in kinds
        for channel in Channel
    }


async def choose(tx: Tx, services: Services, account: UUID, choices: Iterable[PreferenceRow]) -> None:
    """Set choices; the others stay. Raises NotFound (404) for an unknown kind."""
    rows = {(row.kind, row.channel): row for row in choices}
    if any(kind not in services.modules.notification_kinds for kind, _ in rows):
        raise NotFound
    await tx.execute(
        queries.CHOOSE,
        account=account,
        kinds=[kind for kind, _ in rows],
        channels=[channel for _, channel in rows],
        on=[row.is_on for row in rows.values()],
    )


async def stop_mail(tx: Tx, account: UUID, *, is_stopped: bool) -> None:
    """Stop the daily mail whatever the kinds' choices are, or let it come again."""
    await tx.execute(queries.STOP_MAIL, account=account, is_stopped=is_stopped)


async def is_mail_stopped(tx: Tx, account: UUID) -> bool:
    """Return whether the account has stopped its daily mail."""
    return await tx.fetch_one(queries.IS_STOPPED, account=account)
