"""Money in: packs, payments, gateways."""

from __future__ import annotations

from vetrina.core.module import Command, Module

MODULE = Module(
    "payments",
    requires=("accounts", "wallet"),
    api=(
        "vetrina.payments.api",
        "vetrina.payments.plan_api",
    ),
    pages=(
        "vetrina.payments.checkout_pages",
        "vetrina.payments.operator_pages",
        "vetrina.payments.pages",
        "vetrina.payments.plan_pages",
        "vetrina.payments.receipt_pages",
        "vetrina.payments.shop_pages",
        "vetrina.payments.webhooks_pages",
        "vetrina.payments.events_serve",
        "vetrina.payments.serve",
    ),
    jobs=("vetrina.payments.jobs",),
    commands=(
        Command("payments", "vetrina.commands.payments:app", "Payments: what the gateways know of them."),
        Command("webhooks", "vetrina.commands.webhooks:app", "What Stripe told, and applying it again."),
    ),
    personal_data="vetrina.payments.privacy",
)
