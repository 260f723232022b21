-- Wrong guesses are counted for each code (attempt_count, five) and for its target and purpose in an hour (hourly_count, fifteen
-- over all kinds). Five guesses of a stranger then cost the owner a new code, and no more.
alter table accounts.verifications
  add column hourly_count integer not null default 0,
  add constraint verification_hourly_in_range check (hourly_count between 0 and 15) not valid;

-- Whatever changes money, access or a limit that protects asks for the password: every setting, unless a migration says otherwise.
alter table core.settings alter column is_sensitive set default true;
update core.settings set is_sensitive = true where key like 'limits.%' or key like 'storage.%' or key like 'site.%';
