-- Why a job's last attempt failed, for operators; the library stores only that it did.
create table core.job_failures (
  job_id bigint not null,
  error text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint job_failures_pkey primary key (job_id)
);
create trigger job_failures_touch before update on core.job_failures for each row execute function core.touch();
