-- Pages that the operator writes (terms, privacy, refunds, imprint, contact), each in several languages.
create table accounts.site_pages (
  name text not null,
  language text not null,
  body text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (name, language),
  constraint site_page_known check (name in ('terms', 'privacy', 'refunds', 'imprint', 'contact')),
  constraint site_page_language_known check (language in ('en', 'fa')),
  constraint site_page_length check (length(body) between 1 and 40000)
);
create trigger site_pages_touch before update on accounts.site_pages for each row execute function core.touch();

-- The audit log names the page and the hash of its text, which the pages' own history (a backup) can be compared with.
create function accounts.audit_site_page() returns trigger
language plpgsql as $$
declare
  v_row accounts.site_pages := case when tg_op = 'DELETE' then old else new end;
begin
  perform core.audit(null, 'site_page_' || case tg_op when 'INSERT' then 'added' when 'UPDATE' then 'changed' else 'removed' end,
    'site_page', v_row.name,
    jsonb_build_object('language', v_row.language,
      'characters', case when tg_op = 'DELETE' then 0 else length(v_row.body) end,
      'sha256', case when tg_op <> 'DELETE' then encode(sha256(convert_to(v_row.body, 'UTF8')), 'hex') end));
  perform pg_notify('site_pages', '{}');
  return null;
end
$$;
create constraint trigger site_pages_audited after insert or update or delete on accounts.site_pages
  deferrable initially deferred for each row execute function accounts.audit_site_page();

insert into core.settings (key, value, description) values
  ('limits.sitemaps', '{"count": 120, "seconds": 60}', 'Pages of the sitemap, by one address.'),
  ('site.security_contact', '""', 'Where to report a vulnerability (security.txt): a mail address or an https address.');
