"""Conversations: direct and of groups, live, with requests of strangers."""

from __future__ import annotations

from vetrina.core.module import Module

MODULE = Module(
    "messaging",
    requires=("accounts", "media"),
    api=(
        "vetrina.messaging.conversations.api",
        "vetrina.messaging.messages.api",
        "vetrina.messaging.messages.events",
        "vetrina.messaging.requests.api",
    ),
    pages=("vetrina.messaging.messages.images",),
    jobs=("vetrina.messaging.jobs",),
    services=("vetrina.messaging.messages.actions:SendBatcher",),
    personal_data="vetrina.messaging.personal_data",
    labels="vetrina.messaging.labels",
    channels=("conversations", "messages"),
)
