-- What operators search by: ids of pictures and generations without their account, receipt numbers. And their notes.
-- squawk-ignore require-concurrent-index-creation
create index files_by_id on media.files (id);
-- squawk-ignore require-concurrent-index-creation
create index generations_by_id on studio.generations (id);
-- squawk-ignore require-concurrent-index-creation
create index payments_by_receipt on payments.payments (receipt_number) where receipt_number is not null;

create table accounts.notes (
  account_id uuid not null,
  id uuid not null,
  author_id uuid not null,
  text text not null,
  created_at timestamptz not null default now(),
  constraint notes_pkey primary key (account_id, id),
  constraint note_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint note_length check (char_length(text) between 1 and 2000)
);
comment on table accounts.notes is 'Operators'' notes on an account: never changed, deleted with the account''s personal data';
