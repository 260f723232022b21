"""Members by metadata, and reports on recurring revenue as of any date, computed from the Stripe mirror."""

from __future__ import annotations

from vetrina.core.module import Command, Module, Place

MODULE = Module(
    "reports",
    requires=("accounts", "stripe_mirror"),
    api=("vetrina.reports.api",),
    pages=(
        "vetrina.reports.pages",
        "vetrina.reports.members.pages",
    ),
    jobs=("vetrina.reports.jobs",),
    commands=(
        Command("members", "vetrina.reports.members.commands:members", "List members by their metadata."),
        Command("report", "vetrina.reports.commands:app", "Print reports from the Stripe mirror, as of any date."),
    ),
    personal_data="vetrina.reports.personal_data",
    home="/reports",
    operator_navigation=(
        Place("members", "/members", "Members", "search", "Stripe's customers by metadata", 80),
        Place("reports", "/reports", "Reports", "chart-column", "Recurring revenue, churn, retention, renewals", 90),
    ),
)
