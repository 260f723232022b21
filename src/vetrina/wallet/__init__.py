"""Credits: plans, packs, grants with expiry, holds, an append-only ledger."""

from __future__ import annotations

from vetrina.core.module import AccountSection, Command, Module, NotificationKind, Place

MODULE = Module(
    "wallet",
    requires=("accounts", "notifications"),
    api=(
        "vetrina.wallet.ledger.api",
        "vetrina.wallet.packs.api",
        "vetrina.wallet.plans.api",
        "vetrina.wallet.adjustments.api",
        "vetrina.wallet.plan_editor.api",
    ),
    pages=(
        "vetrina.wallet.ledger.pages",
        "vetrina.wallet.packs.pages",
        "vetrina.wallet.adjustments.pages",
        "vetrina.wallet.plan_editor.pages",
    ),
    jobs=("vetrina.wallet.ledger.jobs", "vetrina.wallet.plans.jobs", "vetrina.wallet.adjustments.jobs"),
    commands=(
        Command("packs", "vetrina.wallet.packs.commands:app", "List, add and change packs of credits."),
        Command("plans", "vetrina.wallet.plan_editor.commands:app", "List, add, change, close and delete plans."),
        Command("quota", "vetrina.wallet.plans.commands:app", "Show an account's plan, usage and reset date."),
        Command("credits", "vetrina.wallet.adjustments.commands:app", "Give credits to an account, or take them."),
    ),
    figures=("vetrina.wallet.ledger.figures:figures",),
    account_sections=(
        AccountSection("wallet/adjustments/section.html", "vetrina.wallet.adjustments.pages:section", position=10),
    ),
    personal_data="vetrina.wallet.personal_data",
    navigation=(Place("wallet", "/wallet", "Wallet", "wallet", position=40, key="w"),),
    operator_navigation=(
        Place("packs", "/operator/packs", "Packs", "ticket", "What is for sale, at which price", 40),
        Place("plans", "/operator/plans", "Plans", "star", "Prices, limits, features and members", 42),
    ),
    header=("wallet/header.html",),
    session_columns=(
        (
            "balance",
            "coalesce((select w.balance from wallet.wallets w where w.account_id = a.id and w.asset = 'token'), 0)",
        ),
    ),
    labels="vetrina.wallet.labels",
    notifications=(
        NotificationKind(
            "credits_nearly_used",
            "Credits nearly used",
            "Four fifths of this month's credits are used",
            href="/wallet",
            icon="ticket",
        ),
        NotificationKind(
            "plan_unpaid", "Unpaid plans", "The next month of your plan is not paid yet", href="/wallet", icon="circle-alert"
        ),
        NotificationKind(
            "plan_ends", "Plans that end", "Your plan ends in a few days", href="/wallet", icon="hourglass", mail=True
        ),
    ),
)
