-- In a transaction of its own, so that readers do not wait for the scan.
alter table accounts.verifications validate constraint verification_hourly_in_range;
