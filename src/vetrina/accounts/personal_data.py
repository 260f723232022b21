"""Personal data of accounts. The account's row stays without it, as a pseudonym for ledger and audit log."""

from __future__ import annotations

from vetrina.accounts.credentials import queries as credentials
from vetrina.accounts.domains import queries as domains
from vetrina.accounts.identities import queries as identities
from vetrina.accounts.privacy import queries as privacy
from vetrina.accounts.profiles import queries as profiles
from vetrina.core.personal_data import Part, Personal

PART = Part(
    "accounts",
    [
        Personal("accounts.verifications", None, privacy.ERASE_CODES, "HMACs of codes that are valid for ten minutes"),
        Personal("accounts.recovery_codes", None, privacy.ERASE_RECOVERY_CODES, "HMACs of secrets"),
        Personal("accounts.identifier_changes", credentials.EXPORT_CHANGES, credentials.ERASE_CHANGES),
        Personal("accounts.second_factor_removals", None, None, "only that and when it is due; goes with the second factor"),
        Personal("accounts.second_factors", privacy.EXPORT_SECOND_FACTOR, privacy.ERASE_SECOND_FACTOR),
        Personal("accounts.exports", privacy.EXPORT_EXPORTS, privacy.ERASE_EXPORTS),
        Personal("accounts.user_roles", privacy.EXPORT_ROLES, privacy.ERASE_ROLES),
        Personal("accounts.sessions", privacy.EXPORT_SESSIONS, privacy.ERASE_SESSIONS),
        Personal("accounts.identities", identities.EXPORT_IDENTITIES, identities.ERASE_IDENTITIES),
        Personal("accounts.domain_verifications", domains.EXPORT_DOMAINS, domains.ERASE_DOMAINS),
        Personal("accounts.former_handles", profiles.EXPORT_FORMER_HANDLES, profiles.ERASE_FORMER_HANDLES),
        Personal("accounts.users", privacy.EXPORT_USER, privacy.ERASE_USER),
        Personal("accounts.vendors", privacy.EXPORT_VENDOR, privacy.ERASE_VENDOR),
        Personal("accounts.erasures", None, None, "when erasure was requested; the job resumes from it"),
        Personal("accounts.accounts", privacy.EXPORT_ACCOUNT, privacy.ERASE_ACCOUNT),
    ],
)
