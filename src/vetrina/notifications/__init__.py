"""Notifications: what an account should learn of, from all modules, in one place: on its page, by mail, by push."""

from __future__ import annotations

from vetrina.core.module import Module, Place

MODULE = Module(
    "notifications",
    requires=("accounts",),
    api=("vetrina.notifications.inbox.api", "vetrina.notifications.preferences.api", "vetrina.notifications.push.api"),
    pages=(
        "vetrina.notifications.inbox.pages",
        "vetrina.notifications.preferences.pages",
        "vetrina.notifications.digest.pages",
        "vetrina.notifications.push.pages",
    ),
    jobs=("vetrina.notifications.jobs", "vetrina.notifications.digest.jobs", "vetrina.notifications.push.jobs"),
    services=("vetrina.notifications.push.keys:PushKey",),
    personal_data="vetrina.notifications.personal_data",
    settings_navigation=(Place("notifications", "/settings/notifications", "Notifications", position=17),),
    header=("notifications/inbox/header.html",),
    session_columns=(
        (
            "unread_notifications",
            "(select count(distinct (n.kind, n.subject))::integer from (select kind, subject from notifications.notifications"
            " where account_id = a.id and read_at is null and is_listed order by id desc limit 100) n)",
        ),
    ),
    channels=("notifications",),
)
