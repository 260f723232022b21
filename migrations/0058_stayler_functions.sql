-- AI Stayler's functions under the document's names. They decide nothing themselves: allowances are the wallet's, conversions are
-- started by studio.start, and an image takes its slot by wallet.hold. The queue of jobs is in public.

-- Uploads recorded before their bytes arrive: each holds a slot, under its own id, until the next upload fills it, or for an hour.
create table media.pending_uploads (
  account_id uuid not null,
  id uuid not null,
  file_name text not null,
  original_url text not null,
  file_size bigint not null,
  mime text not null,
  key text,
  expires_at timestamptz not null default now() + interval '1 hour',
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint pending_upload_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint pending_upload_holds_a_slot foreign key (account_id, id) references wallet.holds (account_id, id),
  constraint pending_upload_key_taken unique (account_id, key),
  constraint pending_upload_name_length check (length(file_name) between 1 and 255),
  constraint pending_upload_address_length check (length(original_url) <= 2000),
  constraint pending_upload_size_positive check (file_size > 0),
  constraint pending_upload_mime_is_a_picture check (mime in ('image/jpeg', 'image/png', 'image/webp'))
);
create index pending_uploads_due on media.pending_uploads (expires_at);

-- The slot of an upload that goes without having been filled comes back.
create function media.return_slot() returns trigger
language plpgsql as $$
begin
  perform wallet.release(old.account_id, old.id, 'upload expired');
  return null;
end
$$;
create trigger pending_uploads_return_slots after delete on media.pending_uploads for each row execute function media.return_slot();

-- Fill the account's oldest pending upload: its slot is spent. False if there is none.
create function media.fill_pending_upload(p_account uuid) returns boolean
language plpgsql as $$
declare
  v_id uuid;
begin
  select id into v_id from media.pending_uploads where account_id = p_account and expires_at > now() order by id limit 1
     for update skip locked;
  if v_id is null or not wallet.capture(p_account, v_id) then
    return false;
  end if;
  delete from media.pending_uploads where account_id = p_account and id = v_id;
  return true;
end
$$;

-- The plan's allowance of an asset this month, and what may be spent now: of free plans, and of all else. `is_open` is false for
-- a disabled or erased account and a frozen wallet.
create function wallet.allowance(p_account uuid, p_asset text)
returns table (kind text, plan text, granted bigint, used bigint, free_left bigint, paid_left bigint, resets_at timestamptz, is_open boolean)
language sql stable as $$
  select a.kind, p.name, n.granted, n.granted - n.rest, coalesce(f.remaining, 0), s.rest - coalesce(f.remaining, 0), m.period_end,
         a.is_active and a.erased_at is null and not coalesce(w.frozen, false)
    from wallet.memberships m
    join wallet.plans p on p.id = m.plan_id
    join accounts.accounts a on a.id = m.account_id
    left join wallet.wallets w on w.account_id = m.account_id and w.asset = p_asset
    left join wallet.free_allowances f on f.account_id = m.account_id and f.asset = p_asset
   cross join lateral (
     select coalesce(sum(g.quantity), 0)::bigint as granted, coalesce(sum(g.remaining) filter (where g.expires_at > now()), 0)::bigint as rest
       from wallet.grants g where g.account_id = m.account_id and g.key = 'plan:' || p_asset || ':' || m.period_id) n
   cross join lateral (
     select coalesce(sum(g.remaining), 0)::bigint as rest from wallet.grants g
      where g.account_id = m.account_id and g.asset = p_asset and g.remaining > 0 and (g.expires_at is null or g.expires_at > now())) s
   where m.account_id = p_account
$$;

-- Whether a free or a paid unit of the asset can be spent now. Free ones go first: none is paid while a free one is left.
create function wallet.can_spend(p_account uuid, p_kind text, p_asset text, p_free boolean) returns boolean
language sql stable as $$
  select coalesce((select a.is_open and a.kind = p_kind and case when p_free then a.free_left > 0 else a.free_left = 0 and a.paid_left > 0 end
                     from wallet.allowance(p_account, p_asset) a), false)
$$;

-- Refuse as a constraint does; DETAIL names bucket, plan, what is left and when it comes again.
create function wallet.refuse_allowance(p_account uuid, p_asset text, p_constraint text) returns void
language plpgsql as $$
declare
  v_detail text := (select jsonb_build_object('bucket', p_asset, 'plan', a.plan, 'free_left', a.free_left, 'paid_left', a.paid_left,
                                              'resets_at', a.resets_at) from wallet.allowance(p_account, p_asset) a);
begin
  raise exception 'refused: %', replace(p_constraint, '_', ' ')
    using errcode = 'check_violation', constraint = p_constraint, detail = coalesce(v_detail, '');
end
$$;

-- Hold a slot for an upload whose bytes follow; its id. The same key returns the same id.
create function media.record_pending_upload(p_account uuid, p_name text, p_url text, p_size bigint, p_mime text, p_free boolean, p_key text)
returns uuid language plpgsql as $$
declare
  v_id uuid := core.new_id();
  v_before uuid;
begin
  perform 1 from wallet.wallets where account_id = p_account and asset = 'image_slot' for update;
  select id into v_before from media.pending_uploads where account_id = p_account and key = p_key;
  if v_before is not null then
    return v_before;
  end if;
  if wallet.can_spend(p_account, (select kind from accounts.accounts where id = p_account), 'image_slot', p_free) is not true
     or wallet.hold(p_account, 'image_slot', 1, 'upload:' || v_id, v_id) is null then
    perform wallet.refuse_allowance(p_account, 'image_slot', 'quota_used_up');
  end if;
  insert into media.pending_uploads (account_id, id, file_name, original_url, file_size, mime, key)
  values (p_account, v_id, p_name, p_url, p_size, p_mime, p_key);
  return v_id;
end
$$;

create function doc_ai_stayler.get_user_quota_status(user_id uuid)
returns table (free_quota_remaining integer, plan_name text, monthly_conversions_limit integer, conversions_used integer,
               conversions_remaining integer, monthly_images_limit integer, images_used integer, images_remaining integer,
               resets_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select c.free_left::integer, c.plan, c.granted::integer, c.used::integer, (c.free_left + c.paid_left)::integer,
         i.granted::integer, i.used::integer, (i.free_left + i.paid_left)::integer, c.resets_at
    from accounts.accounts a
   cross join wallet.allowance(a.id, 'conversion') c
   cross join wallet.allowance(a.id, 'image_slot') i
   where a.id = get_user_quota_status.user_id and a.kind = 'user' and a.erased_at is null
$$;

create function doc_ai_stayler.get_vendor_quota_status(vendor_id uuid)
returns table (free_gallery_remaining integer, plan_name text, monthly_images_limit integer, images_used integer,
               images_remaining integer, resets_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select i.free_left::integer, i.plan, i.granted::integer, i.used::integer, (i.free_left + i.paid_left)::integer, i.resets_at
    from accounts.accounts a
   cross join wallet.allowance(a.id, 'image_slot') i
   where a.id = get_vendor_quota_status.vendor_id and a.kind = 'vendor' and a.erased_at is null
$$;

create function doc_ai_stayler.can_user_convert(user_id uuid, type text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if can_user_convert.type is null or can_user_convert.type not in ('free', 'paid') then
    raise exception 'a conversion is free or paid' using errcode = 'invalid_parameter_value';
  end if;
  return wallet.can_spend(can_user_convert.user_id, 'user', 'conversion', can_user_convert.type = 'free');
end
$$;

create function doc_ai_stayler.can_vendor_upload_image(vendor_id uuid, is_free boolean) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(wallet.can_spend(can_vendor_upload_image.vendor_id, 'vendor', 'image_slot', can_vendor_upload_image.is_free), false)
$$;

-- Start a conversion of one of the user's own pictures, given by its address. The same key returns the same id.
create function doc_ai_stayler.record_conversion(user_id uuid, type text, input_file_url text, style_name text, key text default null)
returns uuid language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
  v_user uuid := record_conversion.user_id;
  v_type text := record_conversion.type;
  v_key text := record_conversion.key;
  v_path text[] := regexp_match(record_conversion.input_file_url, '^(?:https?://[^/?#]+)?/media/([0-9a-f-]{36})/([0-9a-f-]{36})(?:[/?#].*)?$');
  v_style studio.styles;
  v_category text;
  v_answer jsonb;
begin
  if v_type is null or v_type not in ('free', 'paid') then
    raise exception 'a conversion is free or paid' using errcode = 'invalid_parameter_value';
  end if;
  if not exists (select from accounts.accounts a where a.id = v_user and a.kind = 'user' and a.is_active and a.erased_at is null) then
    raise exception 'there is no such user' using errcode = 'check_violation', constraint = 'conversion_belongs_to_active_user';
  end if;
  select f.category into v_category from media.files f where f.account_id = v_user and f.account_id::text = v_path[1] and f.id::text = v_path[2];
  if v_category is null then
    raise exception 'the address is of no file of the user' using errcode = 'check_violation', constraint = 'conversion_input_is_own_file';
  end if;
  select * into v_style from studio.styles s where s.name = record_conversion.style_name and s.is_active;
  if (v_style.needs_product and v_category = 'model_image') or (v_style.needs_model and v_category <> 'model_image') then
    raise exception 'the style takes another kind of picture' using errcode = 'check_violation', constraint = 'conversion_picture_fits_style';
  end if;
  v_answer := studio.start(jsonb_build_object(
    'account_id', v_user, 'id', core.new_id(), 'style_name', record_conversion.style_name, 'seed', floor(random() * 2147483648)::bigint,
    'charge', 'conversion', 'key', v_key,
    'request_hash', encode(sha256(convert_to(jsonb_build_array(v_type, v_path[2], record_conversion.style_name)::text, 'UTF8')), 'hex'),
    'parameters', (select coalesce(jsonb_object_agg(p ->> 'name', p -> 'default'), '{}') from jsonb_array_elements(v_style.parameters) p),
    case v_category when 'model_image' then 'model_files' else 'product_files' end, jsonb_build_array(v_path[2])));
  if v_answer ? 'refused' then
    perform wallet.refuse_allowance(v_user, 'conversion', case v_answer ->> 'refused'
      when 'insufficient-credits' then 'quota_used_up' when 'wallet-frozen' then 'wallet_not_frozen'
      else replace(v_answer ->> 'refused', '-', '_') end);
  end if;
  if v_answer ->> 'outcome' = 'created' and not exists (
       select from studio.conversions c where c.account_id = v_user and c.id = (v_answer ->> 'id')::uuid and c.conversion_type = v_type) then
    perform wallet.refuse_allowance(v_user, 'conversion', case v_type when 'free' then 'quota_used_up' else 'free_conversions_go_first' end);
  end if;
  return (v_answer ->> 'id')::uuid;
end
$$;

-- Take a slot for an image whose bytes follow within the hour. The same key returns the same id.
create function doc_ai_stayler.record_image_upload(owner uuid, file_name text, original_url text, file_size bigint, mime_type text,
                                                   is_free boolean, key text default null)
returns uuid language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  return media.record_pending_upload(record_image_upload.owner, record_image_upload.file_name, record_image_upload.original_url,
    record_image_upload.file_size, record_image_upload.mime_type, record_image_upload.is_free, record_image_upload.key);
end
$$;

-- Figures of the whole site; sums by currency in minor units, of completed payments without what went back.
create function doc_ai_stayler.get_system_stats() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select jsonb_build_object(
    'users', (select jsonb_build_object('total', count(*), 'active', count(*) filter (where is_active), 'verified',
                count(*) filter (where phone_verified_at is not null or email_verified_at is not null))
                from accounts.accounts where kind = 'user' and erased_at is null),
    'vendors', (select jsonb_build_object('total', count(*), 'active', count(*) filter (where a.is_active), 'verified',
                  count(*) filter (where v.is_verified))
                  from accounts.accounts a left join accounts.vendors v on v.account_id = a.id where a.kind = 'vendor' and a.erased_at is null),
    'conversions', (select coalesce(jsonb_object_agg(c.status, c.count), '{}')
                      from (select status, count(*) from doc_ai_stayler.user_conversions group by status) c),
    'images', (select jsonb_build_object('total', count(*), 'public', count(*) filter (where is_public), 'bytes', coalesce(sum(file_size), 0))
                 from doc_ai_stayler.images),
    'albums', (select count(*) from doc_ai_stayler.albums),
    'payments', (select coalesce(jsonb_object_agg(p.status, p.count), '{}')
                   from (select status, count(*) from payments.payments group by status) p),
    'revenue', (select coalesce(jsonb_object_agg(r.currency, r.amount), '{}')
                  from (select currency, sum(amount - refunded - disputed) as amount from payments.payments
                         where status in ('completed', 'refunded', 'disputed') group by currency) r),
    'computed_at', now())
$$;

revoke execute on function
  doc_ai_stayler.record_conversion(uuid, text, text, text, text),
  doc_ai_stayler.record_image_upload(uuid, text, text, bigint, text, boolean, text) from public;
