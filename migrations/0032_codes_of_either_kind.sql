-- Codes for an identifier of either kind of account: signing in and resetting find the account by the code.
-- squawk-ignore ban-drop-constraint
alter table accounts.verifications drop constraint verification_kind_known;
alter table accounts.verifications
  add constraint verification_kind_known check (kind in ('user', 'vendor', 'any')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table accounts.verifications validate constraint verification_kind_known;
