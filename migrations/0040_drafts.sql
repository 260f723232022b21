-- What an account has entered in the studio and not started yet: one draft an account. Files are named by ids alone; one that
-- is deleted meanwhile falls out when the draft is read. A discarded draft is kept so that it can be restored.
create table studio.drafts (
  account_id uuid primary key,
  style_name text not null,
  prompt text not null default '',
  parameters jsonb not null default '{}',
  seed bigint,
  asset text not null default '',
  product_files uuid[] not null default '{}',
  model_files uuid[] not null default '{}',
  discarded_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint draft_belongs_to_account foreign key (account_id) references accounts.accounts (id)
);
create trigger drafts_touch before update on studio.drafts for each row execute function core.touch();

insert into core.settings (key, value, description) values
  ('limits.drafts', '{"count": 600, "seconds": 60}', 'Drafts of the studio saved by one account.');
