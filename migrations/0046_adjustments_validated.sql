-- In a transaction of its own, so that readers and writers do not wait for the scans.
alter table wallet.entries validate constraint entry_kind_known;
alter table wallet.entries validate constraint entry_sign_fits_kind;
alter table wallet.entries validate constraint entry_of_an_adjustment;
alter table wallet.entries validate constraint entry_belongs_to_adjustment;
alter table wallet.grants validate constraint grant_source_known;
