"""Payments: packs and plans, paid through gateways."""

from __future__ import annotations

from vetrina.core.module import AccountSection, Command, ErrorPage, LedgerSubject, Module, NotificationKind, Place
from vetrina.payments.webhooks.event_types import STRIPE_EVENTS

MODULE = Module(
    "payments",
    requires=("accounts", "notifications", "wallet"),
    api=(
        "vetrina.payments.checkout.api",
        "vetrina.payments.plans.api",
    ),
    pages=(
        "vetrina.payments.checkout.cancel_pages",
        "vetrina.payments.operator.pages",
        "vetrina.payments.checkout.payment_pages",
        "vetrina.payments.plans.pages",
        "vetrina.payments.receipts.pages",
        "vetrina.payments.checkout.pages",
        "vetrina.payments.webhooks.pages",
        "vetrina.payments.checkout.status_events",
        "vetrina.payments.checkout.return_pages",
    ),
    jobs=("vetrina.payments.jobs",),
    commands=(
        Command("payments", "vetrina.payments.commands:app", "Show payments and poll the gateways."),
        Command("webhooks", "vetrina.payments.webhooks.commands:app", "List received Stripe webhooks and replay them."),
    ),
    services=("vetrina.payments.gateways.registry:Gateways",),
    personal_data="vetrina.payments.personal_data",
    account_menu=(
        Place("plan", "/plan", "Plan", "ticket", position=20),
        Place("payments", "/payments", "Payments", "credit-card", position=30),
    ),
    operator_navigation=(
        Place("payments", "/operator/payments", "Payments", "credit-card", "Search, refunds, disputes", 10),
        Place("webhooks", "/operator/webhooks", "Webhooks", "rotate-ccw", "Received Stripe events and replays", 20),
    ),
    account_sections=(AccountSection("payments/operator/section.html", "vetrina.payments.operator.lookup:section", position=20),),
    figures=("vetrina.payments.operator.figures:figures",),
    searches=("vetrina.payments.operator.lookup:search_payments", "vetrina.payments.operator.lookup:search_events"),
    error_pages=(ErrorPage(402, "There are not enough tokens", "/wallet/buy", "Buy tokens"),),
    checks="vetrina.payments.webhooks.checks",
    labels="vetrina.payments.labels",
    notifications=(
        NotificationKind(
            "payment_received",
            "Payments received",
            "Your payment of {amount} was received",
            href="/payments/{subject}",
            icon="circle-check",
        ),
        NotificationKind(
            "payment_failed",
            "Payments that failed",
            "Your payment of {amount} failed",
            href="/payments/{subject}",
            icon="circle-alert",
            mail=True,
        ),
        NotificationKind(
            "payment_refunded",
            "Refunds",
            "{amount} was paid back to you",
            href="/payments/{subject}",
            icon="rotate-ccw",
            mail=True,
        ),
    ),
    channels=("payments",),
    ledger_subjects=(LedgerSubject("payment", "/payments/{id}"),),
    stripe_events=STRIPE_EVENTS,
    links=(("buy_credits", "/wallet/buy"), ("plan", "/plan"), ("payments", "/payments")),
)
