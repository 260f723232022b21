"""Who someone is: registration, sign-in, sessions of browsers and programs."""

from __future__ import annotations

from vetrina.core.module import Command, Module

MODULE = Module(
    "accounts",
    api=(
        "vetrina.accounts.api",
        "vetrina.accounts.api_codes",
        "vetrina.accounts.api_factor",
        "vetrina.accounts.badge_api",
        "vetrina.accounts.domain_api",
        "vetrina.accounts.history_api",
        "vetrina.accounts.identity_api",
        "vetrina.accounts.operator_api",
        "vetrina.accounts.operator_settings_api",
        "vetrina.accounts.privacy_api",
        "vetrina.accounts.sessions_api",
    ),
    pages=(
        "vetrina.accounts.pages",
        "vetrina.accounts.pages_doors",
        "vetrina.accounts.pages_codes",
        "vetrina.accounts.pages_security",
        "vetrina.accounts.domain_pages",
        "vetrina.accounts.history_pages",
        "vetrina.accounts.identity_pages",
        "vetrina.accounts.operator_pages",
        "vetrina.accounts.operator_settings_pages",
        "vetrina.accounts.privacy_pages",
        "vetrina.accounts.sessions_pages",
    ),
    jobs=(
        "vetrina.accounts.jobs",
        "vetrina.accounts.privacy_jobs",
    ),
    commands=(
        Command("account", "vetrina.commands.account:app", "Accounts: roles, disabling, signing out."),
        Command("audit", "vetrina.commands.audit:app", "The audit log: its proof."),
        Command("settings", "vetrina.commands.settings:app", "What can be changed while the site runs: rate limits, gifts."),
    ),
    personal_data="vetrina.accounts.privacy",
    home="/sign-in",
)
