-- Disabling an account ends the renewal of its plan at the period's end; what was paid stays.
create function payments.stop_renewal() returns trigger
language plpgsql as $$
begin
  perform core.enqueue('payments.stop_renewal', jsonb_build_object('account', new.id), 'payments');
  return null;
end
$$;
create trigger accounts_disabled_stop_renewal after update of is_active on accounts.accounts
  for each row when (old.is_active and not new.is_active and new.erased_at is null) execute function payments.stop_renewal();
