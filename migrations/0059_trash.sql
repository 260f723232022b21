-- The trash of media: deleting a picture sets `deleted_at` of its row, and a job deletes the row when it has been there for
-- `media.trash_days`. The rows are in `media.stored_files`; the view `media.files` has those that are not in the trash, and every
-- statement that shows, serves or uses pictures reads the view. Only the trash, the storage's counters and an account's erasure
-- read the table. Foreign keys point at the table, so that posts, portraits and results have their picture again when it is restored.

-- squawk-ignore renaming-table
alter table media.files rename to stored_files;
alter table media.stored_files add column deleted_at timestamptz;
-- squawk-ignore require-concurrent-index-creation
create index files_trashed on media.stored_files (account_id, id) where deleted_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index files_trashed_first on media.stored_files (deleted_at) where deleted_at is not null;

create view media.files as
select account_id, id, category, file_name, storage_key, sha256, mime, bytes, width, height, colour, thumbnails, is_public, tags,
       metadata, created_at, updated_at, derived_bytes
  from media.stored_files
 where deleted_at is null;

-- The same function of a row of the view.
create function media.facts(f media.files) returns jsonb language sql stable as $$
  select jsonb_build_object('id', f.id, 'file_name', f.file_name, 'mime', f.mime, 'width', f.width, 'height', f.height,
    'colour', f.colour, 'thumbnails', f.thumbnails, 'is_public', f.is_public)
$$;
-- squawk-ignore ban-drop-function
drop function media.facts(media.stored_files);

create or replace view doc_style_studio.files as
select id as _id, account_id as "userId", category, storage_key as "storageId"
  from media.files
 where category in ('product_image', 'model_image', 'generated_image', 'profile_image');

insert into core.settings (key, value, description) values
  ('media.trash_days', '30', 'Days for which deleted pictures can be restored. 0 empties the trash every hour.');

create or replace view doc_gallery.posts_imgs as
select i.post_id, i.file_id, i.position, i.alt, '/media/' || i.account_id || '/' || i.file_id || '/original' as url, i.created_at
  from gallery.post_images i
  join gallery.posts p on p.account_id = i.account_id and p.id = i.post_id
  join media.files f on f.account_id = i.account_id and f.id = i.file_id
 where p.deleted_at is null;
