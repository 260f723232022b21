"""Image generation, paid with credits."""

from __future__ import annotations

from vetrina.core.module import Module

MODULE = Module(
    "studio",
    requires=("accounts", "wallet", "media"),
    api=("vetrina.studio.api",),
    pages=(
        "vetrina.studio.pages",
        "vetrina.studio.serve",
    ),
    jobs=("vetrina.studio.jobs",),
    personal_data="vetrina.studio.privacy",
    home="/",
)
