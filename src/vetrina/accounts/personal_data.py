"""What accounts hold of somebody: all that tells who they are. The row itself stays, as a pseudonym for ledger and audit."""

from __future__ import annotations

from vetrina.accounts.domains import queries as domains
from vetrina.accounts.identities import queries as identities
from vetrina.accounts.privacy import queries as q
from vetrina.accounts.profiles import queries as profiles
from vetrina.core.personal_data import Part, Personal

PART = Part(
    "accounts",
    [
        Personal("accounts.verifications", None, q.FORGET_CODES, "HMACs of codes that live ten minutes"),
        Personal("accounts.recovery_codes", None, q.FORGET_RECOVERY_CODES, "HMACs of secrets"),
        Personal("accounts.second_factors", q.MY_SECOND_FACTOR, q.FORGET_SECOND_FACTOR),
        Personal("accounts.exports", q.MY_EXPORTS, q.FORGET_EXPORTS),
        Personal("accounts.user_roles", q.MY_ROLES, q.FORGET_ROLES),
        Personal("accounts.sessions", q.MY_SESSIONS, q.FORGET_SESSIONS),
        Personal("accounts.identities", identities.MY_IDENTITIES, identities.FORGET_IDENTITIES),
        Personal("accounts.domain_verifications", domains.MY_DOMAINS, domains.FORGET_DOMAINS),
        Personal("accounts.former_handles", profiles.MY_FORMER_HANDLES, profiles.FORGET_FORMER_HANDLES),
        Personal("accounts.users", q.MY_USER, q.FORGET_USER),
        Personal("accounts.vendors", q.MY_VENDOR, q.FORGET_VENDOR),
        Personal("accounts.erasures", None, None, "that and when it was asked for; the job goes on from it"),
        Personal("accounts.accounts", q.MY_ACCOUNT, q.NOBODY),
    ],
)
