-- What each role may do; run after every migration, so that new tables are covered.
-- vetrina_app: no DDL; ledgers may be read and added to, never changed.
grant usage on schema core, accounts, wallet, media, payments, stripe_mirror, studio, public to vetrina_app;
grant select, insert, update, delete on all tables in schema core, accounts, wallet, media, payments, stripe_mirror, studio, public to vetrina_app;
grant usage, select on all sequences in schema core, accounts, wallet, media, payments, stripe_mirror, studio, public to vetrina_app;
grant execute on all functions in schema core, accounts, wallet, media, payments, stripe_mirror, studio, public to vetrina_app;
revoke update, delete, truncate on wallet.entries, payments.failed_transactions, core.audit_logs, stripe_mirror.events from vetrina_app;
revoke delete, truncate on core.audit_heads from vetrina_app;
revoke delete, truncate on wallet.wallets, wallet.grants, wallet.holds, payments.payments, payments.gateway_refs from vetrina_app;
revoke insert, update, delete on core.migrations from vetrina_app;
