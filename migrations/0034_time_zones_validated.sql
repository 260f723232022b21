-- In a transaction of its own, so that readers do not wait for the scan.
alter table accounts.accounts validate constraint account_time_zone_is_a_name;
