"""What the actions of accounts are called."""

from __future__ import annotations

AUDIT = {
    "account_registered": "Signed up",
    "signed_in": "Signed in",
    "session_ended": "A session ended",
    "session_confirmed": "The password was confirmed",
    "email_changed": "The e-mail address was changed",
    "phone_changed": "The phone was changed",
    "handle_changed": "The handle was changed",
    "password_changed": "The password was changed",
    "second_factor_on": "The second factor was turned on",
    "second_factor_off": "The second factor was turned off",
    "recovery_code_used": "A recovery code was used",
    "second_factor_removal_requested": "The removal of the second factor was requested",
    "second_factor_removal_ended": "The removal of the second factor ended",
    "email_verified": "The e-mail address was verified",
    "phone_verified": "The phone was verified",
    "identity_linked": "An identity at a provider was linked",
    "identity_unlinked": "An identity at a provider was unlinked",
    "domain_added": "A domain was added",
    "domain_verified": "A domain was proven",
    "domain_lost": "A domain was lost",
    "domain_removed": "A domain was removed",
    "business_renamed": "The business was renamed",
    "vendor_verified": "The business was verified",
    "vendor_unverified": "The business is no longer verified",
    "role_granted": "A role was given",
    "role_revoked": "A role was taken away",
    "note_added": "An operator wrote a note",
    "account_disabled": "The account was disabled",
    "account_enabled": "The account was enabled",
    "storage_limit_changed": "The storage limit was changed",
    "account_erased": "The account was erased",
    "erasure_asked": "Erasure was asked for",
    "export_asked": "A copy of everything was asked for",
    "export_fetched": "A copy of everything was fetched",
    "site_page_added": "A page of the site was written",
    "site_page_changed": "A page of the site was changed",
    "site_page_removed": "A page of the site was removed",
    "setting_changed": "A setting was changed",
    "setting_added": "A setting was added",
    "setting_removed": "A setting was removed",
}
"""Titles of actions in the audit log."""

USAGE = {
    "account_registered": "Signed up",
    "signed_in": "Signed in",
    "identifier_confirmed": "Addresses and phones confirmed",
    "identifier_changed": "Addresses and phones changed",
    "password_reset": "Passwords reset",
    "profile_changed": "Profile changed",
    "business_added": "Business added",
}
"""Titles of actions in the usage record."""
