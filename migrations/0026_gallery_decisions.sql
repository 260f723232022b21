-- Public pictures: reports by visitors, removal and restoration by operators, and the choice for the front page.

create table media.takedowns (
  account_id uuid not null,
  file_id uuid not null,
  reason text not null,
  was_public boolean not null,
  created_at timestamptz not null default now(),
  primary key (account_id, file_id),
  constraint takedown_is_of_a_file foreign key (account_id, file_id)
    references media.files (account_id, id) on delete cascade,
  constraint takedown_reason_length check (length(reason) between 1 and 400)
);
create index takedowns_by_file on media.takedowns (file_id);

create table media.featured_files (
  account_id uuid not null,
  file_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, file_id),
  constraint featured_file_is_a_file foreign key (account_id, file_id)
    references media.files (account_id, id) on delete cascade
);
create index featured_files_newest on media.featured_files (created_at);

-- One open row per picture and reason: further reports join it. `reporters` are keyed hashes, so that one visitor counts once.
create table media.reports (
  account_id uuid not null,
  id uuid not null,
  file_id uuid not null,
  reason text not null,
  notes text[] not null default '{}',
  reporters text[] not null default '{}',
  state text not null default 'open',
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint report_is_of_a_file foreign key (account_id, file_id)
    references media.files (account_id, id) on delete cascade,
  constraint report_reason_known check (reason in ('rights', 'privacy', 'sexual', 'violence', 'hate', 'spam', 'other')),
  constraint report_state_known check (state in ('open', 'upheld', 'dismissed')),
  constraint report_notes_few check (cardinality(notes) <= 10 and cardinality(reporters) <= 100),
  constraint report_decided_when_closed check ((state = 'open') = (decided_at is null))
);
create index reports_by_file on media.reports (account_id, file_id);
create unique index reports_open_once on media.reports (account_id, file_id, reason) where state = 'open';
create index reports_open on media.reports (file_id) where state = 'open';
create trigger reports_touch before update on media.reports for each row execute function core.touch();

-- A picture that was taken down is neither published nor used as a portrait until an operator restores it.
create function media.refuse_taken_down() returns trigger
language plpgsql as $$
begin
  if exists (select from media.takedowns
              where account_id = new.account_id and file_id = (to_jsonb(new) ->> tg_argv[0])::uuid) then
    raise exception 'the file was taken down' using errcode = 'check_violation', constraint = 'file_not_taken_down';
  end if;
  return null;
end
$$;
create trigger files_not_taken_down after update of is_public on media.files
  for each row when (new.is_public and not old.is_public) execute function media.refuse_taken_down('id');
create trigger portraits_not_taken_down after insert or update of file_id on media.portraits
  for each row execute function media.refuse_taken_down('file_id');

-- Rows that go with their file are not an operator's decision.
create function media.audit_takedown() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'picture_taken_down', 'file', new.file_id::text, '{}',
                       jsonb_build_object('why', new.reason));
  elsif exists (select from media.files where account_id = old.account_id and id = old.file_id) then
    perform core.audit(old.account_id, 'picture_restored', 'file', old.file_id::text);
  end if;
  return null;
end
$$;
create constraint trigger takedowns_audited after insert or delete on media.takedowns
  deferrable initially deferred for each row execute function media.audit_takedown();

create function media.audit_featured() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'picture_featured', 'file', new.file_id::text);
  elsif exists (select from media.files where account_id = old.account_id and id = old.file_id) then
    perform core.audit(old.account_id, 'picture_unfeatured', 'file', old.file_id::text);
  end if;
  return null;
end
$$;
create constraint trigger featured_files_audited after insert or delete on media.featured_files
  deferrable initially deferred for each row execute function media.audit_featured();

create function media.audit_report() returns trigger
language plpgsql as $$
begin
  perform core.audit(new.account_id, 'picture_report_' || new.state, 'file', new.file_id::text,
                     jsonb_build_object('reason', new.reason, 'reports', cardinality(new.reporters)));
  return null;
end
$$;
create constraint trigger reports_audited after update on media.reports
  deferrable initially deferred for each row when (old.state <> new.state) execute function media.audit_report();

insert into core.settings (key, value, description)
values ('limits.reports', '{"count": 20, "seconds": 3600}', 'Reports of public pictures from one address.');
