"""What every module stands on and no one shop needs alone: no domain in here."""

from __future__ import annotations

from vetrina.core.module import Module

MODULE = Module(
    "core",
    pages=(
        "vetrina.core.web.health",
        "vetrina.core.web.front",
        "vetrina.core.web.outbox",
    ),
    jobs=(
        "vetrina.core.upkeep",
        "vetrina.core.outbox",
    ),
    personal_data="vetrina.core.privacy",
)
