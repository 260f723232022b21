"""What the rules of the catalogue allow, each with its reason."""

from __future__ import annotations

from vetrina.stripe_mirror.object_types import KINDS

REFERENCE = {
    "core.migrations": "the files that were applied",
    "core.job_failures": "why jobs failed, by the queue's own ids",
    "core.settings": "the operator's settings",
    "core.outbox": "a development site's mail and SMS, which need no account",
    "core.stand_in_key": "the key of the documented views, one of the database",
    "core.rate_limits": "counts addresses and targets too, which need no account",
    "accounts.verifications": "codes for an e-mail address or a phone, before there is an account",
    "accounts.sign_in_failures": "counts identifiers that need no account",
    "accounts.accounts": "is the owner itself",
    "accounts.identities": "issuer and subject are unique over all accounts",
    "accounts.spent_nonces": "sign-ins that are over, before anyone knows whose they were",
    "accounts.reserved_handles": "names that are nobody's",
    "accounts.former_handles": "a handle is unique over all accounts",
    "accounts.site_pages": "the operator's texts",
    "messaging.conversations": "belongs to all who take part in it",
    "wallet.plans": "a price list",
    "wallet.packs": "a price list",
    "wallet.plan_prices": "a price list",
    "payments.gateway_refs": "a gateway's reference is unique over all accounts",
    "payments.webhook_events": "a gateway's, under its own id, whoever it is about",
    "studio.styles": "the engines' catalogue",
    "stripe_mirror.kinds": "what is mirrored",
    "stripe_mirror.events": "Stripe's, under its own id, whoever it is about",
    "stripe_mirror.thin_events": "events of Stripe's that were refused, by type",
    "stripe_mirror.unsettled": "Stripe's objects that have to be fetched",
    "stripe_mirror.discounts": "terms of Stripe's discounts, under its ids",
    "stripe_mirror.ranges": "how far a backfill has come",
    "stripe_mirror.staged": "pages of Stripe's lists, before they are merged",
    "reports.states": "Stripe's subscriptions through time, worked out from the mirror",
    "reports.movements": "what Stripe's customers' months changed, worked out from those",
    "reports.progress": "how far reports have followed the mirror",
    "reports.metadata_keys": "counts of the mirror's metadata",
    **{f"stripe_mirror.{kind}": "Stripe's objects, under its ids, before anyone links them" for kind in KINDS},
}
"""Tables that belong to no account."""

NEVER_CHANGED = {
    "core.migrations": "written once by the migrator",
    "core.usage": "loses its details when its account is erased, and changes never",
    "studio.generation_files": "changes only when its file is deleted, and that is told by the empty place itself",
}
"""Tables without `updated_at` although something changes their rows."""

UNINDEXED = {
    "grant_belongs_to_wallet": "wallets are never deleted",
    "hold_belongs_to_wallet": "wallets are never deleted",
    "entry_belongs_to_grant": "grants are never deleted, and every index on entries costs each charge",
    "entry_belongs_to_adjustment": "adjustments are never deleted, and every index on entries costs each charge",
}
"""Foreign keys without an index on their columns."""

INSIDE = {
    "the routes and forms offer nothing else": [
        "account_kind_known", "payment_kind_known", "payment_gateway_known", "hold_state_known", "grant_source_known",
        "entry_kind_known", "asset_known", "generation_status_known", "batch_kind_known", "payment_status_known",
        "site_page_known", "site_page_language_known", "account_language_is_a_code", "post_status_known", "post_visibility_known",
    ],
    "written by the operator or a migration": [
        "plan_kind_known", "plan_currency_is_iso", "plan_figures_not_negative", "plan_price_positive",
        "plan_price_currency_is_iso", "plan_storage_positive", "style_cost_positive", "payment_amount_positive",
        "payment_currency_is_iso", "payment_not_in_toman", "stand_in_key_is_single", "stand_in_key_is_long",
    ],
    "kept by our own functions; a breach is a fault of ours, and the ledger then stops": [
        "shortfall_not_negative", "wallet_held_not_negative", "wallet_lifetime_not_negative", "grant_made_once",
        "grant_quantity_positive", "grant_remaining_in_range", "hold_made_once", "hold_quantity_positive",
        "hold_settled_when_ended", "entry_made_once", "entry_sign_fits_kind", "entry_of_an_adjustment",
        "entry_balance_not_negative", "entries_append_only", "membership_period_in_order", "payment_paid_when_completed",
        "payment_is_kept", "payment_moves_legally", "generation_ends_with_a_time", "generation_failed_has_message",
        "generation_progress_in_percent", "generation_file_category_fits_role", "session_ends_after_it_starts",
        "post_published_has_a_time", "counter_kind_known", "conversation_kind_known", "conversation_pair_in_order",
        "conversation_of_a_pair", "participant_status_known", "message_position_taken", "message_subject_length",
        "album_file_position_taken", "notification_kind_length", "notification_subject_length", "notification_recorded_once",
        "preference_channel_known", "push_endpoint_length", "push_key_length", "push_endpoint_subscribed_once",
        "usage_action_is_named", "album_slug_taken", "album_slug_is_plain", "album_image_count_not_negative",
        "album_public_has_a_time",
    ],
    "kept by the functions that turn periods": [
        "period_made_once", "period_in_order", "period_worth_what_was_paid", "period_duration_positive",
        "period_bought_as_long_as_given", "period_allowance_share_in_range", "period_time_back_not_negative",
        "membership_grace_after_the_period", "membership_ends_one_way", "membership_renewed_by_a_gateway",
    ],
    "measured by us from the bytes, or made by us": [
        "file_category_fixed", "file_storage_key_taken", "file_mime_is_a_picture", "file_sides_in_range",
        "file_bytes_positive", "file_derived_bytes_not_negative", "file_colour_is_hex", "daily_uploads_positive",
    ],
    "Stripe's events are only inserted, kinds come by migration": ["events_append_only", "mirror_object_taken"],
    "kept by our own functions, which say the gateway's word as it is": [
        "customer_is_one_account", "link_origin_known", "link_is_primary_once",
        "reversal_kind_known", "reversals_append_only", "failure_recorded_once",
        "failed_transactions_append_only", "webhook_outcome_known", "webhook_tried_again_when_failed", "refund_recorded_once",
        "refund_amount_positive", "refund_status_known", "refund_moves_legally", "dispute_ends_once",
        "payment_money_back_in_range",
    ],
    "refused by the documented functions, which answer in SQL": [
        "conversion_belongs_to_active_user", "conversion_input_is_own_file", "conversion_picture_fits_style",
        "pending_upload_key_taken", "pending_upload_name_length", "pending_upload_address_length", "pending_upload_size_positive",
        "pending_upload_mime_is_a_picture",
    ],
    "a batch makes its generations itself": ["generation_in_one_batch"],
    "a search is kept in place of the one of its name; the routes offer the two kinds": [
        "search_name_taken", "search_kind_known",
    ],
    "the header is cut to size before it comes here": ["idempotency_key_is_short"],
    "kept by what guards accounts; a breach is a fault of ours": [
        "outbox_channel_known", "rate_limit_count_not_negative", "audit_head_position_positive", "audit_position_taken",
        "audit_actor_known", "audit_action_is_named", "audit_logs_append_only", "verification_kind_known",
        "verification_purpose_known", "verification_attempts_in_range", "verification_hourly_in_range", "verification_is_short",
        "role_known", "export_status_known", "export_is_somewhere_when_ready", "export_one_ready", "storage_not_negative",
        "second_factor_attempts_in_range", "confirmed_email_is_set", "confirmed_phone_is_set", "session_client_known",
        "sign_in_failures_positive",
        "identifier_change_channel_known",
        "identity_id_unique", "identity_names_are_short", "domain_status_known", "domain_answer_known",
        "domain_verified_has_a_time", "portrait_face_known",
    ],
    "the routes and forms offer nothing else; duplicates of an open report join it": [
        "report_reason_known", "report_state_known", "report_notes_few", "report_decided_when_closed", "reports_open_once",
    ],
}  # fmt: skip
"""Constraints without a refusal, with the reason that no user can violate them."""

SHARED = {"core.usage", "core.idempotency_keys"}
"""Tables of core that every module writes in its own transactions."""

KEPT = {"wallet.wallets", "wallet.grants", "wallet.holds", "wallet.shortfalls", "payments.payments",
        "payments.gateway_refs", "payments.refunds", "payments.disputes"}  # fmt: skip
"""Money tables: the application may not delete from them."""


LENT = {
    "core.stand_in": "reports compute stand-ins with a key that they may not read; it takes a text and returns its hash",
    **dict.fromkeys((f"doc_ai_stayler.{name}" for name in (
        "get_user_quota_status", "get_vendor_quota_status", "can_user_convert", "can_vendor_upload_image", "record_conversion",
        "record_image_upload", "get_system_stats")), "the document's function, called by roles that read its views alone"),
}  # fmt: skip
"""Functions that run with their owner's rights, with the reason."""
