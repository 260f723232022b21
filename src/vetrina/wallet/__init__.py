"""Credits: plans, packs, grants with expiry, holds, an append-only ledger."""

from __future__ import annotations

from vetrina.core.module import Command, Module

MODULE = Module(
    "wallet",
    requires=("accounts",),
    api=(
        "vetrina.wallet.api",
        "vetrina.wallet.pack_api",
    ),
    pages=(
        "vetrina.wallet.pages",
        "vetrina.wallet.pack_pages",
    ),
    jobs=("vetrina.wallet.jobs",),
    commands=(
        Command("packs", "vetrina.commands.packs:app", "Packs of credits: what is for sale, at which price."),
        Command("quota", "vetrina.commands.quota:app", "Plans and quotas: what an account may still do, and why not."),
    ),
    personal_data="vetrina.wallet.privacy",
)
