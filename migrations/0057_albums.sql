-- Albums of a business: pictures in an order, a cover, a public page. A picture may be in many albums.

create table media.albums (
  account_id uuid not null,
  id uuid not null,
  slug text not null,
  name text not null,
  description text not null default '',
  is_public boolean not null default false,
  -- Written by triggers under the album's row lock, so that additions and removals at once are all counted.
  image_count integer not null default 0,
  -- Null for the first picture.
  cover_file_id uuid,
  published_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint album_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint album_slug_taken unique (account_id, slug),
  constraint album_slug_is_plain check (length(slug) between 1 and 100 and slug !~ '[[:space:]/?#%&"<>]'),
  constraint album_name_length check (length(name) between 1 and 120),
  constraint album_description_length check (length(description) <= 4000),
  constraint album_image_count_not_negative check (image_count >= 0),
  constraint album_public_has_a_time check (not is_public or published_at is not null)
);
create trigger albums_touch before update on media.albums for each row execute function core.touch();
create index albums_public on media.albums (account_id, id) where is_public and deleted_at is null;
create index albums_deleted on media.albums (deleted_at) where deleted_at is not null;

create table media.album_files (
  account_id uuid not null,
  album_id uuid not null,
  file_id uuid not null,
  -- Orders the album. Neighbours are far apart, so that a picture moves without renumbering the others.
  position bigint not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, album_id, file_id),
  constraint album_file_position_taken unique (account_id, album_id, position) deferrable initially immediate,
  constraint album_file_belongs_to_album foreign key (account_id, album_id) references media.albums (account_id, id) on delete cascade,
  constraint album_file_is_own_file foreign key (account_id, file_id) references media.files (account_id, id) on delete cascade
);
create trigger album_files_touch before update on media.album_files for each row execute function core.touch();
create index album_files_by_file on media.album_files (account_id, file_id);
alter table media.albums
  add constraint album_cover_is_in_album foreign key (account_id, id, cover_file_id)
    references media.album_files (account_id, album_id, file_id) on delete set null (cover_file_id);
create index albums_by_cover on media.albums (account_id, id, cover_file_id) where cover_file_id is not null;

create function media.count_album_files() returns trigger
language plpgsql as $$
begin
  -- Locked in one order: statements that change several albums at once wait for each other instead of deadlocking.
  perform from media.albums a
    where (a.account_id, a.id) in (select c.account_id, c.album_id from changed c)
    order by a.account_id, a.id for no key update;
  update media.albums a
     set image_count = a.image_count + tg_argv[0]::integer * n.count
    from (select c.account_id, c.album_id, count(*)::integer as count from changed c group by 1, 2) n
   where a.account_id = n.account_id and a.id = n.album_id;
  return null;
end
$$;
create trigger album_files_counted after insert on media.album_files referencing new table as changed
  for each statement execute function media.count_album_files('1');
create trigger album_files_no_longer_counted after delete on media.album_files referencing old table as changed
  for each statement execute function media.count_album_files('-1');

-- Add files to an album in this order; return those that were not in it. A position that is given and free is used, so that
-- a removal can be undone; every other picture goes to the end.
create function media.add_to_album(p_account uuid, p_album uuid, p_files uuid[], p_positions bigint[]) returns setof uuid
language plpgsql as $$
begin
  perform from media.albums a where a.account_id = p_account and a.id = p_album for no key update;
  return query
    insert into media.album_files (account_id, album_id, file_id, position)
    select p_account, p_album, w.file_id,
           case when w.position is not null
                     and not exists (select from media.album_files t
                                      where t.account_id = p_account and t.album_id = p_album and t.position = w.position)
                then w.position
                else w.number * 65536 + coalesce(greatest(
                  (select max(t.position) from media.album_files t where t.account_id = p_account and t.album_id = p_album),
                  (select max(given.position) from unnest(p_positions) as given (position))), 0) end
      from unnest(p_files, p_positions) with ordinality as w (file_id, position, number)
      join media.files f on f.account_id = p_account and f.id = w.file_id
     order by w.number
    on conflict (account_id, album_id, file_id) do nothing
    returning album_files.file_id;
end
$$;

-- Move a picture before another one, or (null) to the end. False if one of them is not in the album.
create function media.place_in_album(p_account uuid, p_album uuid, p_file uuid, p_before uuid) returns boolean
language plpgsql as $$
declare
  v_before bigint;
  v_previous bigint;
begin
  perform from media.albums a where a.account_id = p_account and a.id = p_album for no key update;
  for attempt in 1..2 loop
    select t.position into v_before from media.album_files t
     where t.account_id = p_account and t.album_id = p_album and t.file_id = p_before;
    if not found and p_before is not null then
      return false;
    end if;
    select max(t.position) into v_previous from media.album_files t
     where t.account_id = p_account and t.album_id = p_album and t.file_id <> p_file
       and (v_before is null or t.position < v_before);
    v_previous := coalesce(v_previous, coalesce(v_before, 65536) - 131072);
    v_before := coalesce(v_before, v_previous + 131072);
    exit when v_before - v_previous > 1;
    update media.album_files t set position = n.number * 65536
      from (select o.file_id, row_number() over (order by o.position) as number from media.album_files o
             where o.account_id = p_account and o.album_id = p_album) n
     where t.account_id = p_account and t.album_id = p_album and t.file_id = n.file_id;
  end loop;
  update media.album_files t set position = v_previous + (v_before - v_previous) / 2
   where t.account_id = p_account and t.album_id = p_album and t.file_id = p_file;
  return found;
end
$$;
