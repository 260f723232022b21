-- The price list in the audit log, and receipts of the test checkout without a number of the seller's.

-- The test checkout takes no money, so it must not leave gaps in the seller's receipts. Its receipts are named by the payment.
drop trigger payment_gets_a_receipt on payments.payments;
create trigger payment_gets_a_receipt before update of paid_at on payments.payments
  for each row when (old.paid_at is null and new.paid_at is not null and new.gateway <> 'sandbox')
  execute function payments.number_receipt();

-- What differs between two versions of a row, without the times at which rows are touched: {"column": {"from", "to"}}.
create function core.changed_columns(p_old jsonb, p_new jsonb) returns jsonb
language sql immutable as $$
  select coalesce(jsonb_object_agg(key, jsonb_build_object('from', p_old -> key, 'to', p_new -> key)), '{}')
    from jsonb_object_keys(p_old || p_new) as key
   where key not in ('created_at', 'updated_at') and p_old -> key is distinct from p_new -> key
$$;

-- Packs, plans and prices of plans: written down in the house's chain when the transaction commits, whoever changes them.
-- tg_argv: the first part of the action (pack: pack_added, pack_changed, pack_removed), and the column that names the row.
create function wallet.audit_price_list() returns trigger
language plpgsql as $$
declare
  v_old jsonb := case when tg_op = 'INSERT' then '{}'::jsonb else to_jsonb(old) end;
  v_new jsonb := case when tg_op = 'DELETE' then '{}'::jsonb else to_jsonb(new) end;
  v_changed jsonb := core.changed_columns(v_old, v_new);
begin
  if v_changed <> '{}' then
    perform core.audit(
      null, tg_argv[0] || case tg_op when 'INSERT' then '_added' when 'UPDATE' then '_changed' else '_removed' end,
      tg_argv[0], (case tg_op when 'DELETE' then v_old else v_new end) ->> tg_argv[1],
      case tg_op when 'INSERT' then v_new - array['created_at', 'updated_at']
                 when 'DELETE' then v_old - array['created_at', 'updated_at']
                 else jsonb_build_object('name', v_new -> tg_argv[1], 'changed', v_changed) end);
  end if;
  return null;
end
$$;
create constraint trigger packs_audited after insert or update or delete on wallet.packs
  deferrable initially deferred for each row execute function wallet.audit_price_list('pack', 'name');
create constraint trigger plans_audited after insert or update or delete on wallet.plans
  deferrable initially deferred for each row execute function wallet.audit_price_list('plan', 'name');
create constraint trigger plan_prices_audited after insert or update or delete on wallet.plan_prices
  deferrable initially deferred for each row execute function wallet.audit_price_list('plan_price', 'plan_id');

-- Settings that are added or removed, besides those that change.
create function core.audit_setting_list() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(null, 'setting_added', 'setting', new.key, jsonb_build_object('to', new.value));
  else
    perform core.audit(null, 'setting_removed', 'setting', old.key, jsonb_build_object('from', old.value));
  end if;
  return null;
end
$$;
create constraint trigger settings_audited_when_listed after insert or delete on core.settings
  deferrable initially deferred for each row execute function core.audit_setting_list();
