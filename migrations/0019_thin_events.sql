-- Thin events of Stripe's API v2 that were refused, by type, for `vetrina stripe status`. Only signed events are counted.
create table stripe_mirror.thin_events (
  type text primary key,
  count bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger thin_events_touch before update on stripe_mirror.thin_events for each row execute function core.touch();
