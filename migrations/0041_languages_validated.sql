-- In a transaction of its own, so that readers do not wait for the scan.
alter table accounts.accounts validate constraint account_language_is_a_code;
