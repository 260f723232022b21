"""Conversations: direct and of groups, live, with requests of strangers."""

from __future__ import annotations

from vetrina.core.module import Module, NotificationKind, Place

MODULE = Module(
    "messaging",
    requires=("accounts", "notifications", "media"),
    api=(
        "vetrina.messaging.conversations.api",
        "vetrina.messaging.messages.api",
        "vetrina.messaging.messages.events",
        "vetrina.messaging.requests.api",
    ),
    pages=(
        "vetrina.messaging.conversations.pages",
        "vetrina.messaging.conversations.form_pages",
        "vetrina.messaging.requests.pages",
        "vetrina.messaging.messages.images",
    ),
    jobs=("vetrina.messaging.jobs",),
    services=("vetrina.messaging.messages.actions:SendBatcher",),
    personal_data="vetrina.messaging.personal_data",
    labels="vetrina.messaging.labels",
    account_menu=(Place("conversations", "/conversations", "Conversations", "message-circle", position=4),),
    header=("messaging/header.html",),
    session_columns=(
        (
            "unread_conversations",
            "(select count(*) from messaging.participants p where p.account_id = a.id and p.unread > 0"
            " and p.status = 'active' and not p.is_muted)",
        ),
    ),
    notifications=(
        NotificationKind(
            "message",
            "Messages",
            "{name} wrote to you",
            ("{name} and {n} other wrote to you", "{name} and {n} others wrote to you"),
            "/conversations/{subject}",
            "message-circle",
            mail=True,
            push=True,
        ),
        NotificationKind(
            "message_request",
            "Requests to write to you",
            "{name} asks to write to you",
            ("{name} and {n} other ask to write to you", "{name} and {n} others ask to write to you"),
            "/conversations/{subject}",
            "message-circle",
            mail=True,
        ),
    ),
    links=(("message_account", "/conversations/with/{account}"),),
    channels=("conversations", "messages"),
)
