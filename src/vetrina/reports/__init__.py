"""What the mirror tells: members by their metadata, recurring revenue and its movements, as of any date."""

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
        Command("report", "vetrina.reports.commands:app", "Reports on what Stripe holds, as of any date."),
    ),
    personal_data="vetrina.reports.personal_data",
    home="/reports",
    operator_navigation=(
        Place("members", "/members", "Members", "search", "Stripe's customers, by their metadata", 80),
        Place("reports", "/reports", "Reports", "chart-column", "Recurring revenue, churn, retention, renewals", 90),
    ),
)
