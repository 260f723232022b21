"""A live copy of a Stripe account's objects: webhooks in any order, backfill, verification."""

from __future__ import annotations

from vetrina.core.module import AccountSection, Command, Module, Place

MODULE = Module(
    "stripe_mirror",
    requires=("accounts",),
    pages=(
        "vetrina.stripe_mirror.pages",
        "vetrina.stripe_mirror.ingest.webhook",
    ),
    jobs=("vetrina.stripe_mirror.jobs",),
    commands=(Command("stripe", "vetrina.stripe_mirror.commands:app", "Backfill, verify and inspect the Stripe mirror."),),
    services=("vetrina.stripe_mirror.ingest.actions:EventBatcher",),
    personal_data="vetrina.stripe_mirror.personal_data",
    home="/operator/stripe",
    account_sections=(
        AccountSection("stripe_mirror/operator/section.html", "vetrina.stripe_mirror.operator.lookup:section", position=40),
    ),
    operator_navigation=(
        Place("stripe", "/operator/stripe", "Stripe", "refresh-cw", "Status of the Stripe mirror, customer links", 70),
    ),
    labels="vetrina.stripe_mirror.labels",
)
