"""A live copy of what Stripe holds: webhooks in any order, backfill, proof."""

from __future__ import annotations

from vetrina.core.module import Command, Module, Place

MODULE = Module(
    "stripe_mirror",
    requires=("accounts",),
    pages=(
        "vetrina.stripe_mirror.pages",
        "vetrina.stripe_mirror.ingest.webhook",
    ),
    jobs=("vetrina.stripe_mirror.jobs",),
    commands=(
        Command("stripe", "vetrina.stripe_mirror.commands:app", "The Stripe mirror: fill it, prove it, see how it stands."),
    ),
    personal_data="vetrina.stripe_mirror.personal_data",
    home="/operator/stripe",
    operator_navigation=(
        Place("stripe", "/operator/stripe", "Stripe", "refresh-cw", "The mirror: how it stands, whose customer is whose", 70),
    ),
    labels="vetrina.stripe_mirror.labels",
)
