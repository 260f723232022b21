"""JSON routes of what an account is notified of."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, patch

from vetrina.core.web.request import Request, signed_in
from vetrina.notifications.model import Channel, PreferenceRow
from vetrina.notifications.preferences import actions
from vetrina.notifications.preferences.actions import Preference
from vetrina.web.i18n import say


class Preferences(msgspec.Struct, frozen=True):
    """What an account is notified of; while `is_mail_stopped`, no mail comes whatever the kinds say."""

    kinds: list[Preference]
    is_mail_stopped: bool


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """A choice for one kind and channel."""

    kind: str
    channel: Channel
    is_on: bool


class PreferencesRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Choices to set; what is left out stays."""

    choices: list[Choice] = []
    is_mail_stopped: bool | None = None


@get("/notification-preferences", guards=[signed_in], tags=["notifications"])
async def preferences(request: Request) -> Preferences:
    """Return what the account is notified of, by kind and channel."""
    return await read(request)


@patch("/notification-preferences", guards=[signed_in], tags=["notifications"])
async def choose(request: Request, data: PreferencesRequest) -> Preferences:
    """Choose what to be notified of. 404 for an unknown kind."""
    account = request.account.id
    async with request.tx() as tx:
        rows = [PreferenceRow(choice.kind, choice.channel.value, choice.is_on) for choice in data.choices]
        await actions.choose(tx, request.services, account, rows)
        if data.is_mail_stopped is not None:
            await actions.stop_mail(tx, account, is_stopped=data.is_mail_stopped)
    return await read(request)


async def read(request: Request) -> Preferences:
    """Return the account's preferences in the current language."""
    services, account = request.services, request.account.id
    async with request.read() as tx:
        chosen = await actions.chosen(tx, services, account)
        is_stopped = await actions.is_mail_stopped(tx, account)
    kinds = [
        Preference(name, say(kind.title), **{channel.value: chosen[name, channel] for channel in Channel})
        for name, kind in services.modules.notification_kinds.items()
    ]
    return Preferences(kinds, is_stopped)


ROUTES: list[Any] = [preferences, choose]
