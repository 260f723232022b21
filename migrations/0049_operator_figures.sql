-- The operators' figures read two months of rows by time.
-- squawk-ignore require-concurrent-index-creation
create index accounts_by_time on accounts.accounts (created_at);
-- squawk-ignore require-concurrent-index-creation
create index payments_by_payment_time on payments.payments (paid_at) where paid_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index reversals_by_time on payments.reversals (created_at);
