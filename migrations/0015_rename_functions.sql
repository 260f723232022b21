-- squawk-ignore-file renaming-object, renaming-column
-- Names that say what a function, column or constraint is. Bodies that name them follow in the files of the same number,
-- because PostgreSQL keeps them as text. Nothing is rewritten: every statement here changes the catalogue only.

alter function wallet.give rename to grant_credits;
alter function wallet.use rename to spend;
alter function wallet.turn rename to advance_period;
alter function wallet.begin_free rename to start_free_period;
alter function wallet.pay_period rename to apply_paid_period;
alter function wallet.unpay_period rename to revoke_paid_period;
alter function wallet.ends_later rename to set_cancel_at_period_end;
alter function wallet.renew_by rename to set_renewal;
alter function wallet.welcome rename to create_for_account;
alter function wallet.hold_all rename to hold_many;

alter function payments.reckon rename to reconcile;
alter function payments.tell_refund rename to record_refund;
alter function payments.tell_refunded rename to record_refunded_total;
alter function payments.tell_dispute rename to record_dispute;
alter function payments.ask_refund rename to request_refund;
alter function payments.give_up rename to close_unpaid;
alter function payments.keep_legal rename to check_transition;
alter function payments.refund_step rename to refund_rank;
alter function payments.keep_refund_legal rename to check_refund_transition;
alter function payments.keep_dispute_ended rename to check_dispute_transition;

alter function studio.keep_legal rename to check_transition;

alter function stripe_mirror.take_fetched rename to ingest_objects;
alter function stripe_mirror.take_staged rename to merge_staged;
alter function stripe_mirror.doubt rename to mark_unresolved;
alter function stripe_mirror.rank rename to event_order;
alter function stripe_mirror.revive rename to undelete;
alter function stripe_mirror.elements rename to json_array;
alter function stripe_mirror.keys rename to json_object;
alter function stripe_mirror.whole rename to json_bigint;
alter function stripe_mirror.flag rename to json_boolean;
alter function stripe_mirror.moment rename to json_timestamp;
alter function stripe_mirror.word rename to json_text;
alter function stripe_mirror.ref rename to json_id;

alter function accounts.tell_of_end rename to notify_session_ended;
alter function accounts.keep_a_way_in rename to require_login_method;
alter function accounts.must_be_known rename to require_identifier;
alter function accounts.oneself rename to actor_self;
alter function accounts.badge_needs_the_name rename to reset_vendor_verification;
alter function accounts.keep_handle_rules rename to check_handle;

alter function core.take rename to acquire_permits;

alter function reports.derive rename to compute_states;
alter function reports.move rename to compute_movements;

alter table payments.payments rename column refund_told to gateway_refunded_total;
alter table wallet.periods rename column begun_at to started_at;
alter table wallet.periods rename column worth to paid_value;
alter table wallet.memberships rename column anchored_at to billing_anchor;
alter table core.audit_details rename column said to context;

alter table payments.failed_transactions rename constraint failure_told_once to failure_recorded_once;
alter table payments.refunds rename constraint refund_told_once to refund_recorded_once;
alter table studio.generations rename constraint generation_failure_is_told to generation_failed_has_message;
alter table wallet.memberships rename constraint membership_goes_on_with_a_plan to membership_next_plan_set;
alter table accounts.identities rename constraint identity_named_once to identity_id_unique;
