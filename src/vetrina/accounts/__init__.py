"""Accounts: registration, sign-in, sessions, profiles, roles, privacy."""

from __future__ import annotations

from vetrina.core.module import Command, Module, Place

MODULE = Module(
    "accounts",
    api=(
        "vetrina.accounts.sign_in.api",
        "vetrina.accounts.verification.api",
        "vetrina.accounts.password_reset.api",
        "vetrina.accounts.profiles.api",
        "vetrina.accounts.usage.api",
        "vetrina.accounts.second_factor.api",
        "vetrina.accounts.credentials.api",
        "vetrina.accounts.operator.vendor_verification_api",
        "vetrina.accounts.domains.api",
        "vetrina.accounts.audit_log.api",
        "vetrina.accounts.identities.api",
        "vetrina.accounts.operator.api",
        "vetrina.accounts.site_settings.api",
        "vetrina.accounts.privacy.api",
        "vetrina.accounts.sessions.api",
    ),
    pages=(
        "vetrina.accounts.profiles.pages",
        "vetrina.accounts.sign_in.pages",
        "vetrina.accounts.sign_in.code_pages",
        "vetrina.accounts.password_reset.pages",
        "vetrina.accounts.second_factor.sign_in_pages",
        "vetrina.accounts.usage.pages",
        "vetrina.accounts.second_factor.pages",
        "vetrina.accounts.credentials.pages",
        "vetrina.accounts.domains.pages",
        "vetrina.accounts.audit_log.pages",
        "vetrina.accounts.identities.pages",
        "vetrina.accounts.operator.pages",
        "vetrina.accounts.site_settings.pages",
        "vetrina.accounts.privacy.pages",
        "vetrina.accounts.sessions.pages",
    ),
    jobs=(
        "vetrina.accounts.notifications.jobs",
        "vetrina.accounts.verification.jobs",
        "vetrina.accounts.sessions.jobs",
        "vetrina.accounts.second_factor.jobs",
        "vetrina.accounts.domains.jobs",
        "vetrina.accounts.identities.jobs",
        "vetrina.accounts.privacy.jobs",
    ),
    slow_queues=(("exports", 1),),
    commands=(
        Command("account", "vetrina.accounts.operator.commands:app", "Manage accounts: roles, disabling, sessions."),
        Command("audit", "vetrina.accounts.audit_log.commands:app", "Verify the audit log."),
        Command(
            "settings",
            "vetrina.accounts.site_settings.commands:app",
            "List and change settings while the site runs.",
        ),
    ),
    personal_data="vetrina.accounts.personal_data",
    home="/sign-in",
    account_menu=(
        Place("usage", "/account/usage", "Usage", "chart-column", position=10),
    ),
    settings_navigation=(
        Place("security", "/settings/security", "Security", position=20),
        Place("sessions", "/settings/sessions", "Sessions", position=30),
        Place("identities", "/settings/identities", "Identity providers", position=40),
        Place("domains", "/settings/domains", "Domains", position=50),
        Place("audit", "/settings/audit", "History", position=60),
        Place("privacy", "/settings/privacy", "Privacy", position=70),
    ),
    operator_navigation=(
        Place("accounts", "/operator/accounts", "Accounts", "user", "Search, roles, sessions, disabling", 30),
        Place("audit", "/operator/audit", "Audit log", "history", "Who did what to what, from where", 50),
        Place(
            "settings", "/operator/settings", "Settings", "list-filter",
            "Rate limits and the rest that changes without a restart", 60,
        ),
    ),
    header=("accounts/header.html",),
    sign_in="/sign-in",
    labels="vetrina.accounts.labels",
    channels=("sessions",),
)
