-- A picture is made public by an account with a confirmed identifier.
create function media.require_confirmed_owner() returns trigger
language plpgsql as $$
begin
  if not exists (select from accounts.accounts
                  where id = new.account_id and (email_verified_at is not null or phone_verified_at is not null)) then
    raise exception 'account % has no confirmed identifier', new.account_id
      using errcode = 'check_violation', constraint = 'public_file_of_a_confirmed_account';
  end if;
  return null;
end
$$;
create trigger files_made_public_at_first after insert on media.files
  for each row when (new.is_public) execute function media.require_confirmed_owner();
create trigger files_made_public after update of is_public on media.files
  for each row when (new.is_public and not old.is_public) execute function media.require_confirmed_owner();
