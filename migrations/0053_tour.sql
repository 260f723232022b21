-- When the account ended the studio's tour; null while it is still offered.
alter table accounts.accounts add column tour_ended_at timestamptz;
