-- The gallery: posts of pictures, likes, follows, blocks, mutes and comments.
--
-- Rows belong to the account that wrote them. What is about another account's post names that post's owner as well. Counters
-- are rows of several slots (one a backend), added up when they are read: two commits seldom wait for the same row.
create schema gallery;

create table gallery.profiles (
  account_id uuid primary key,
  is_private boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint gallery_profile_belongs_to_account foreign key (account_id) references accounts.accounts (id)
);
create trigger profiles_touch before update on gallery.profiles for each row execute function core.touch();

create table gallery.posts (
  account_id uuid not null,
  id uuid not null,
  status text not null default 'draft',
  visibility text not null default 'public',
  title text not null default '',
  body text not null default '',
  tags text[] not null default '{}',
  -- Orders the wall: an id made when the post was first published.
  wall_id uuid,
  published_at timestamptz,
  edited_at timestamptz,
  deleted_at timestamptz,
  words tsvector generated always as (
    setweight(to_tsvector('simple', title), 'A') || setweight(array_to_tsvector(tags), 'B')
    || setweight(to_tsvector('simple', body), 'C')) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint post_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint post_status_known check (status in ('draft', 'published', 'archived')),
  constraint post_visibility_known check (visibility in ('public', 'followers', 'link')),
  constraint post_title_length check (length(title) <= 120),
  constraint post_body_length check (length(body) <= 4000),
  constraint post_tags_few check (cardinality(tags) <= 20),
  constraint post_published_has_a_time check (status <> 'published' or (wall_id is not null and published_at is not null))
);
create trigger posts_touch before update on gallery.posts for each row execute function core.touch();
create index posts_on_the_wall on gallery.posts (wall_id) where status = 'published' and visibility = 'public' and deleted_at is null;
create index posts_of_account on gallery.posts (account_id, wall_id) where status = 'published' and deleted_at is null;
create index posts_by_tag on gallery.posts using gin (tags);
create index posts_by_words on gallery.posts using gin (words);
create index posts_deleted on gallery.posts (deleted_at) where deleted_at is not null;

create table gallery.post_images (
  account_id uuid not null,
  post_id uuid not null,
  position smallint not null,
  file_id uuid not null,
  alt text not null default '',
  created_at timestamptz not null default now(),
  primary key (account_id, post_id, position),
  constraint post_image_position_in_range check (position between 1 and 10),
  constraint post_image_alt_length check (length(alt) <= 1000),
  constraint post_image_shown_once unique (account_id, post_id, file_id),
  constraint post_image_belongs_to_post foreign key (account_id, post_id) references gallery.posts (account_id, id) on delete cascade,
  constraint post_image_is_own_file foreign key (account_id, file_id) references media.files (account_id, id) on delete cascade
);
create index post_images_by_file on gallery.post_images (account_id, file_id);

create table gallery.likes (
  account_id uuid not null,
  post_account_id uuid not null,
  post_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, post_account_id, post_id),
  constraint like_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint like_is_of_a_post foreign key (post_account_id, post_id) references gallery.posts (account_id, id) on delete cascade
);
create index likes_of_post on gallery.likes (post_account_id, post_id, created_at);
create index likes_by_time on gallery.likes (created_at);

create table gallery.follows (
  account_id uuid not null,
  followed_account_id uuid not null,
  is_approved boolean not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, followed_account_id),
  constraint not_following_oneself check (account_id <> followed_account_id),
  constraint follow_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint follow_is_of_an_account foreign key (followed_account_id) references accounts.accounts (id)
);
create trigger follows_touch before update on gallery.follows for each row execute function core.touch();
create index follows_of_account on gallery.follows (followed_account_id, account_id);

create table gallery.blocks (
  account_id uuid not null,
  blocked_account_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, blocked_account_id),
  constraint not_blocking_oneself check (account_id <> blocked_account_id),
  constraint block_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint block_is_of_an_account foreign key (blocked_account_id) references accounts.accounts (id)
);
create index blocks_of_account on gallery.blocks (blocked_account_id, account_id);

create table gallery.mutes (
  account_id uuid not null,
  muted_account_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, muted_account_id),
  constraint not_muting_oneself check (account_id <> muted_account_id),
  constraint mute_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint mute_is_of_an_account foreign key (muted_account_id) references accounts.accounts (id)
);
create index mutes_of_account on gallery.mutes (muted_account_id, account_id);

create table gallery.comments (
  account_id uuid not null,
  id uuid not null,
  post_account_id uuid not null,
  post_id uuid not null,
  parent_account_id uuid,
  parent_id uuid,
  body text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint comment_length check (length(body) between 1 and 2000),
  constraint comment_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint comment_is_on_a_post foreign key (post_account_id, post_id) references gallery.posts (account_id, id) on delete cascade,
  constraint comment_answers_a_comment foreign key (parent_account_id, parent_id) references gallery.comments (account_id, id)
    on delete cascade
);
create index comments_of_post on gallery.comments (post_account_id, post_id, id);
create index comments_by_parent on gallery.comments (parent_account_id, parent_id) where parent_id is not null;

create table gallery.counters (
  account_id uuid not null,
  subject_id uuid not null,
  kind text not null,
  slot smallint not null,
  count bigint not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, subject_id, kind, slot),
  constraint counter_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint counter_kind_known check (kind in ('likes', 'comments', 'followers', 'following'))
);
create trigger counters_touch before update on gallery.counters for each row execute function core.touch();

create function gallery.counted(p_account uuid, p_subject uuid, p_kind text) returns bigint language sql stable as $$
  select coalesce(sum(c.count), 0)::bigint from gallery.counters c
   where c.account_id = p_account and c.subject_id = p_subject and c.kind = p_kind
$$;

-- Adds to counters what a statement changed: subjects in one order, in the slot of this backend.
create function gallery.add_counts(p_kind text, p_accounts uuid[], p_subjects uuid[], p_sign integer) returns void
language sql as $$
  insert into gallery.counters as c (account_id, subject_id, kind, slot, count)
  select s.account_id, s.subject_id, p_kind, pg_backend_pid() % 16, p_sign * count(*)
    from unnest(p_accounts, p_subjects) as s (account_id, subject_id)
   group by s.account_id, s.subject_id
   order by s.account_id, s.subject_id
  on conflict (account_id, subject_id, kind, slot) do update set count = c.count + excluded.count
$$;

create function gallery.count_post_rows() returns trigger language plpgsql as $$
begin
  perform gallery.add_counts(tg_argv[0], array_agg(r.post_account_id), array_agg(r.post_id), tg_argv[1]::integer)
     from changed r having count(*) > 0;
  return null;
end
$$;
create trigger likes_counted after insert on gallery.likes referencing new table as changed
  for each statement execute function gallery.count_post_rows('likes', '1');
create trigger likes_no_longer_counted after delete on gallery.likes referencing old table as changed
  for each statement execute function gallery.count_post_rows('likes', '-1');
create trigger comments_counted after insert on gallery.comments referencing new table as changed
  for each statement execute function gallery.count_post_rows('comments', '1');
create trigger comments_no_longer_counted after delete on gallery.comments referencing old table as changed
  for each statement execute function gallery.count_post_rows('comments', '-1');

create function gallery.count_follows() returns trigger language plpgsql as $$
begin
  perform gallery.add_counts('followers', array_agg(r.followed_account_id), array_agg(r.followed_account_id), tg_argv[0]::integer),
          gallery.add_counts('following', array_agg(r.account_id), array_agg(r.account_id), tg_argv[0]::integer)
     from changed r where r.is_approved having count(*) > 0;
  return null;
end
$$;
create trigger follows_counted after insert on gallery.follows referencing new table as changed
  for each statement execute function gallery.count_follows('1');
create trigger follows_no_longer_counted after delete on gallery.follows referencing old table as changed
  for each statement execute function gallery.count_follows('-1');
-- A follow changes only by its approval.
create trigger follows_counted_when_approved after update on gallery.follows referencing new table as changed
  for each statement execute function gallery.count_follows('1');

create function gallery.blocked(p_one uuid, p_other uuid) returns boolean language sql stable as $$
  select exists (select from gallery.blocks b where b.account_id = p_one and b.blocked_account_id = p_other)
      or exists (select from gallery.blocks b where b.account_id = p_other and b.blocked_account_id = p_one)
$$;

create function gallery.follows_account(p_follower uuid, p_followed uuid) returns boolean language sql stable as $$
  select exists (select from gallery.follows f
                  where f.account_id = p_follower and f.followed_account_id = p_followed and f.is_approved)
$$;

-- Whether an account (null: a visitor) may open a post. Lists leave out those that only a link opens.
create function gallery.shows(p_viewer uuid, p gallery.posts) returns boolean language sql stable as $$
  select p.deleted_at is null and (p.account_id = p_viewer or (
           p.status = 'published'
           and exists (select from accounts.accounts a where a.id = p.account_id and a.is_active and a.erased_at is null)
           and not gallery.blocked(p.account_id, p_viewer)
           and (p.visibility = 'link'
                or (p.visibility = 'public'
                    and not exists (select from gallery.profiles s where s.account_id = p.account_id and s.is_private))
                or gallery.follows_account(p_viewer, p.account_id))))
$$;

-- A post's pictures in order; a removed picture is left out.
create function gallery.images(p_account uuid, p_post uuid, p_limit integer) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('file', i.facts, 'alt', i.alt, 'generation_id', i.generation_id)
                            order by i.position), '[]')
    from (select media.facts(f) as facts, pi.alt, pi.position, f.metadata->>'generation_id' as generation_id
            from gallery.post_images pi
            join media.files f on f.account_id = pi.account_id and f.id = pi.file_id
           where pi.account_id = p_account and pi.post_id = p_post
             and not exists (select from media.takedowns t where t.account_id = f.account_id and t.file_id = f.id)
           order by pi.position limit p_limit) i
$$;

insert into core.settings (key, value, description) values
  ('limits.reactions', '{"count": 600, "seconds": 60}', 'Likes, follows and blocks of one account.'),
  ('limits.comments', '{"count": 30, "seconds": 60}', 'Comments written by one account.');
