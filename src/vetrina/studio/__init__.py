"""Image generation, paid with credits."""

from __future__ import annotations

from vetrina.core.module import Module

MODULE = Module(
    "studio",
    requires=("accounts", "wallet", "media"),
    api=("vetrina.studio.generations.api",),
    pages=(
        "vetrina.studio.generations.pages",
        "vetrina.studio.styles.previews",
    ),
    jobs=("vetrina.studio.generations.jobs",),
    personal_data="vetrina.studio.personal_data",
    home="/",
)
