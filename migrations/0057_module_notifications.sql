-- What the wallet, payments, the library and the studio notify accounts of. Each is a row's change of state, seen by its trigger.

create function wallet.notify_used_grant() returns trigger language plpgsql as $$
begin
  perform notifications.notify(jsonb_build_array(jsonb_build_object(
            'account_id', new.account_id, 'kind', 'credits_nearly_used', 'subject', new.id, 'repeats', false)));
  return null;
end
$$;
create trigger grants_notify_when_nearly_used after update of remaining on wallet.grants for each row
  when (new.source in ('plan', 'free') and new.remaining * 5 <= new.quantity and old.remaining * 5 > old.quantity)
  execute function wallet.notify_used_grant();

create function wallet.notify_unpaid_plan() returns trigger language plpgsql as $$
begin
  perform notifications.notify(jsonb_build_array(jsonb_build_object('account_id', new.account_id, 'kind', 'plan_unpaid')));
  return null;
end
$$;
create trigger memberships_notify_when_unpaid after update of grace_until on wallet.memberships for each row
  when (new.grace_until is not null and old.grace_until is null) execute function wallet.notify_unpaid_plan();

-- Notifies accounts whose plan ends within three days and goes on with the free one. Once for each end.
create function wallet.notify_ending_plans() returns void language sql as $$
  select notifications.notify(jsonb_agg(jsonb_build_object(
           'account_id', m.account_id, 'kind', 'plan_ends', 'subject', to_char(m.period_end at time zone 'UTC', 'YYYY-MM-DD'),
           'repeats', false)))
    from wallet.memberships m
   where m.cancel_at_period_end and m.period_end between now() and now() + interval '3 days'
  having count(*) > 0
$$;

create function payments.notify_payment() returns trigger language plpgsql as $$
begin
  perform notifications.notify(jsonb_build_array(jsonb_build_object(
            'account_id', new.account_id,
            'kind', case new.status when 'completed' then 'payment_received' when 'failed' then 'payment_failed'
                                    else 'payment_refunded' end,
            'subject', new.id,
            'details', jsonb_build_object('amount', case when new.status = 'refunded' then new.refunded else new.amount end,
                                          'currency', new.currency))));
  return null;
end
$$;
create trigger payments_notified after update of status on payments.payments for each row
  when (old.status <> new.status and new.status in ('completed', 'failed', 'refunded')
        and not (new.status = 'completed' and old.status in ('refunded', 'disputed')))
  execute function payments.notify_payment();

create function media.notify_takedown() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform notifications.notify(jsonb_build_array(jsonb_build_object(
              'account_id', new.account_id, 'kind', 'picture_removed', 'subject', new.file_id)));
  else
    perform notifications.notify(jsonb_build_array(jsonb_build_object(
              'account_id', old.account_id, 'kind', 'picture_restored', 'subject', old.file_id)));
  end if;
  return null;
end
$$;
create trigger takedowns_notified after insert or delete on media.takedowns for each row execute function media.notify_takedown();

create function studio.notify_picture() returns trigger language plpgsql as $$
begin
  perform notifications.notify(jsonb_build_array(jsonb_build_object(
            'account_id', new.account_id,
            'kind', case new.status when 'completed' then 'picture_ready' else 'picture_failed' end, 'subject', new.id)));
  return null;
end
$$;
create trigger generations_notified after update of status on studio.generations for each row
  when (old.status <> new.status and new.status in ('completed', 'failed')) execute function studio.notify_picture();
