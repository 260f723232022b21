-- What each role may do; run after every migration, so that new tables are covered.
-- vetrina_app: no DDL; ledgers may be read and added to, never changed.
grant usage on schema core, accounts, notifications, wallet, media, payments, stripe_mirror, studio, gallery, messaging, reports, public to vetrina_app;
grant select, insert, update, delete on all tables in schema core, accounts, notifications, wallet, media, payments, stripe_mirror, studio, gallery, messaging, reports, public to vetrina_app;
grant usage, select on all sequences in schema core, accounts, notifications, wallet, media, payments, stripe_mirror, studio, gallery, messaging, reports, public to vetrina_app;
grant execute on all functions in schema core, accounts, notifications, wallet, media, payments, stripe_mirror, studio, gallery, messaging, reports, public to vetrina_app;
revoke update, delete, truncate on wallet.entries, payments.failed_transactions, payments.reversals, core.audit_logs, stripe_mirror.events from vetrina_app;
revoke delete, truncate on core.audit_heads from vetrina_app;
revoke delete, truncate on wallet.wallets, wallet.grants, wallet.holds, wallet.shortfalls, wallet.adjustments, payments.payments, payments.gateway_refs, payments.refunds, payments.disputes from vetrina_app;
revoke insert, update, delete on core.migrations from vetrina_app;
revoke all on core.stand_in_key from vetrina_app;
-- vetrina_reporting: the documents' views (doc_*) and nothing else.
do $$
declare
  v_schema text;
begin
  if exists (select from pg_roles where rolname = 'vetrina_reporting') then
    for v_schema in select nspname from pg_namespace where starts_with(nspname, 'doc_') loop
      execute format('grant usage on schema %1$I to vetrina_reporting, vetrina_app; '
                     'grant select on all tables in schema %1$I to vetrina_reporting, vetrina_app; '
                     'grant execute on all functions in schema %1$I to vetrina_app', v_schema);
    end loop;
  end if;
end
$$;
