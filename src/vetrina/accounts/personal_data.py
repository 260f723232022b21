"""Personal data of accounts. The account's row stays without it, as a pseudonym for ledger and audit log."""

from __future__ import annotations

from vetrina.accounts.credentials import queries as credentials
from vetrina.accounts.domains import queries as domains
from vetrina.accounts.identities import queries as identities
from vetrina.accounts.operator import queries as operator
from vetrina.accounts.privacy import queries as privacy
from vetrina.accounts.profiles import queries as profiles
from vetrina.accounts.storage import queries as storage
from vetrina.core.personal_data import PersonalData, TableRule

PERSONAL_DATA = PersonalData(
    "accounts",
    [
        TableRule("accounts.verifications", None, privacy.ERASE_CODES, "HMACs of codes that are valid for ten minutes"),
        TableRule("accounts.recovery_codes", None, privacy.ERASE_RECOVERY_CODES, "HMACs of secrets"),
        TableRule("accounts.identifier_changes", credentials.EXPORT_CHANGES, credentials.ERASE_CHANGES),
        TableRule("accounts.second_factor_removals", None, None, "only that and when it is due; goes with the second factor"),
        TableRule("accounts.second_factors", privacy.EXPORT_SECOND_FACTOR, privacy.ERASE_SECOND_FACTOR),
        TableRule("accounts.exports", privacy.EXPORT_EXPORTS, privacy.ERASE_EXPORTS),
        TableRule("accounts.user_roles", privacy.EXPORT_ROLES, privacy.ERASE_ROLES),
        TableRule("accounts.sessions", privacy.EXPORT_SESSIONS, privacy.ERASE_SESSIONS),
        TableRule("accounts.identities", identities.EXPORT_IDENTITIES, identities.ERASE_IDENTITIES),
        TableRule("accounts.domain_verifications", domains.EXPORT_DOMAINS, domains.ERASE_DOMAINS),
        TableRule("accounts.former_handles", profiles.EXPORT_FORMER_HANDLES, profiles.ERASE_FORMER_HANDLES),
        TableRule("accounts.notes", None, operator.ERASE_NOTES, "operators' notes, for operators only; deleted on erasure"),
        TableRule("accounts.users", privacy.EXPORT_USER, privacy.ERASE_USER),
        TableRule("accounts.vendors", privacy.EXPORT_VENDOR, privacy.ERASE_VENDOR),
        TableRule("accounts.storage", storage.EXPORT, None, "figures, which are 0 once the files are deleted"),
        TableRule("accounts.erasures", None, None, "when erasure was requested; the job resumes from it"),
        TableRule("accounts.accounts", privacy.EXPORT_ACCOUNT, privacy.ERASE_ACCOUNT),
    ],
)
