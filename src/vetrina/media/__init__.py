"""Pictures that people bring or make: taking in, keeping, showing and deleting them."""

from __future__ import annotations

from vetrina.core.module import Module

MODULE = Module(
    "media",
    requires=("accounts",),
    api=(
        "vetrina.media.api",
        "vetrina.media.profile_api",
    ),
    pages=(
        "vetrina.media.pages",
        "vetrina.media.profile_pages",
        "vetrina.media.serve",
    ),
    jobs=("vetrina.media.jobs",),
    personal_data="vetrina.media.privacy",
)
