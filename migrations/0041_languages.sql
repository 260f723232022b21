-- The language that an account's pages and letters are written in (ISO 639-1); null: the browser's.
alter table accounts.accounts
  add column language text,
  add constraint account_language_is_a_code check (language ~ '^[a-z]{2,3}$') not valid;
