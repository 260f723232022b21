-- Pictures. The row names the bytes; deleting the row deletes the bytes too, by a job in the same transaction.

create schema media;

create table media.files (
  account_id uuid not null,
  id uuid not null,
  category text not null,
  file_name text not null,
  storage_key text not null,
  sha256 bytea not null,
  mime text not null,
  bytes bigint not null,
  width integer not null,
  height integer not null,
  colour text not null,
  thumbnails jsonb not null default '{}',
  is_public boolean not null default false,
  tags text[] not null default '{}',
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint file_category_fixed unique (account_id, id, category),
  constraint file_storage_key_taken unique (account_id, storage_key),
  constraint file_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint file_category_known check (category in
    ('product_image', 'model_image', 'generated_image', 'profile_image', 'post_image', 'album_image')),
  constraint file_name_length check (length(file_name) between 1 and 255),
  constraint file_mime_is_a_picture check (mime in ('image/jpeg', 'image/png', 'image/webp')),
  constraint file_sides_in_range check (width between 1 and 65535 and height between 1 and 65535),
  constraint file_bytes_positive check (bytes > 0),
  constraint file_colour_is_hex check (colour ~ '^#[0-9a-f]{6}$'),
  constraint file_tags_few check (cardinality(tags) <= 30),
  constraint file_tags_short check (array_position(tags, '') is null and length(tags::text) <= 2600)
);
create index files_by_category on media.files (account_id, category, id) include (bytes);
create index files_public on media.files (id) where is_public;
create index files_shown on media.files (account_id, id) where is_public;
create index files_by_tag on media.files using gin (tags);
create index files_by_metadata on media.files using gin (metadata jsonb_path_ops);
create trigger files_touch before update on media.files for each row execute function core.touch();

create function media.erase_bytes() returns trigger
language plpgsql as $$
begin
  perform core.enqueue('media.erase', jsonb_build_object('prefix', old.storage_key), 'media');
  return old;
end
$$;
create trigger files_erase_bytes after delete on media.files for each row execute function media.erase_bytes();

-- What a page or an answer says of a file; the application adds the addresses.
create function media.facts(f media.files) returns jsonb
language sql stable as $$
  select jsonb_build_object('id', f.id, 'file_name', f.file_name, 'mime', f.mime, 'width', f.width, 'height', f.height,
    'colour', f.colour, 'thumbnails', f.thumbnails, 'is_public', f.is_public)
$$;
