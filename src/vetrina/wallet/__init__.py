"""Credits: plans, packs, grants with expiry, holds, an append-only ledger."""

from __future__ import annotations

from vetrina.core.module import Command, Module, Place

MODULE = Module(
    "wallet",
    requires=("accounts",),
    api=(
        "vetrina.wallet.ledger.api",
        "vetrina.wallet.packs.api",
        "vetrina.wallet.plans.api",
    ),
    pages=(
        "vetrina.wallet.ledger.pages",
        "vetrina.wallet.packs.pages",
    ),
    jobs=("vetrina.wallet.ledger.jobs", "vetrina.wallet.plans.jobs"),
    commands=(
        Command("packs", "vetrina.wallet.packs.commands:app", "List, add and change packs of credits."),
        Command("quota", "vetrina.wallet.plans.commands:app", "Show an account's plan, usage and reset date."),
    ),
    personal_data="vetrina.wallet.personal_data",
    navigation=(Place("wallet", "/wallet", "Wallet", "wallet", position=40, key="w"),),
    operator_navigation=(Place("packs", "/operator/packs", "Packs", "ticket", "What is for sale, at which price", 40),),
    header=("wallet/header.html",),
    session_columns=(
        (
            "balance",
            "coalesce((select w.balance from wallet.wallets w where w.account_id = a.id and w.asset = 'token'), 0)",
        ),
    ),
    labels="vetrina.wallet.labels",
)
