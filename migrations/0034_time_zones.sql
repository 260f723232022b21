-- The zone that an account's pages show times in (IANA's name); null: the browser's. The seller's, for receipts.
alter table accounts.accounts
  add column time_zone text,
  add constraint account_time_zone_is_a_name check (time_zone ~ '^[A-Za-z][A-Za-z0-9_+/-]{1,63}$') not valid;

insert into core.settings (key, value, description) values
  ('payments.seller_time_zone', '"UTC"', 'The seller''s time zone, for the dates of receipts, such as Asia/Tehran.');
