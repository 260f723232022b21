"""SQL of the studio.

Starting and ending are functions in the migrations, because each changes credits, rows and a job in one step.
"""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.core.web.public.sitemap import SitemapRow
from vetrina.studio.model import BatchRow, ClaimedGeneration, Count, GenerationRow, PublicPicture, PublicResult, State, Waiting

START = Statement(str, "select studio.start_all(%(items)s::jsonb)::text")

FINISH = Statement(bool, "select studio.finish(%(account)s, %(id)s, %(attempt)s, %(status)s, %(code)s::text, %(message)s::text)")

PUBLISH_STYLE = Statement(
    NoneType,
    """
    insert into studio.styles
      (name, title, description, engine, parameters, needs_product, needs_model, needs_picture, cost, position, is_active)
    values (%(name)s, %(title)s, %(description)s, %(engine)s, %(parameters)s, %(needs_product)s, %(needs_model)s,
            %(needs_picture)s, %(cost)s, %(position)s, true)
    on conflict (name) do update
       set title = excluded.title, description = excluded.description, engine = excluded.engine,
           parameters = excluded.parameters, needs_product = excluded.needs_product, needs_model = excluded.needs_model,
           needs_picture = excluded.needs_picture, cost = excluded.cost, position = excluded.position, is_active = true
    """,
)
RETIRE_STYLES = Statement(NoneType, "update studio.styles set is_active = false where is_active and name <> all (%(names)s)")

_COLUMNS = """g.account_id, g.id, g.status, g.style_name, g.engine, g.prompt, g.parameters, g.seed,
           g.charge_asset::text as charge_asset, g.cost, g.progress, g.step, g.attempt, g.retry_of, g.error_code,
           g.error_message, g.processing_time_ms, g.created_at, g.started_at, g.completed_at,
           (select b.batch_id from studio.batch_items b where b.account_id = g.account_id and b.generation_id = g.id) as batch_id,
           exists (select from studio.favourites v where v.account_id = g.account_id and v.generation_id = g.id)
             as is_favourite"""
_PLACE = """case when g.status = 'pending' then (
             select count(*)::integer + 1 from (
               select from studio.generations before
                where before.status in ('pending', 'uploading', 'processing') and before.status = 'pending'
                  and (before.turn, before.id) < (g.turn, g.id)
                limit 999) line) end as queue_position"""
_PICTURES = """(
             select coalesce(jsonb_agg(jsonb_build_object('role', gf.role, 'file', media.facts(f)) order by gf.role, gf.position)
                             filter (where f.id is not null), '[]')
               from studio.generation_files gf
               left join media.files f on f.account_id = gf.account_id and f.id = gf.file_id
              where gf.account_id = g.account_id and gf.generation_id = g.id)"""

ONE = Statement(
    GenerationRow,
    f"""
    select {_COLUMNS}, {_PLACE}, {_PICTURES} as pictures
      from studio.generations g
     where g.account_id = %(account)s and g.id = %(id)s
    """,
)

# Two statements instead of one with a condition: each walks its own index, newest first.
_ROWS = f"select {_COLUMNS}, null::integer as queue_position, {_PICTURES} as pictures from studio.generations g"
HISTORY = Statement(
    GenerationRow, f"{_ROWS} where g.account_id = %(account)s and g.id < %(before)s order by g.id desc limit %(limit)s"
)
HISTORY_BY_STATUS = Statement(
    GenerationRow,
    f"""
    {_ROWS}
     where g.account_id = %(account)s and g.status = %(status)s and g.id < %(before)s
     order by g.id desc limit %(limit)s
    """,
)
FAVOURITES = Statement(
    GenerationRow,
    f"""
    {_ROWS}
      join studio.favourites s on s.account_id = g.account_id and s.generation_id = g.id
     where g.account_id = %(account)s and g.id < %(before)s
     order by g.id desc limit %(limit)s
    """,
)
ADD_FAVOURITE = Statement(
    NoneType,
    """
    insert into studio.favourites (account_id, generation_id)
    select account_id, id from studio.generations where account_id = %(account)s and id = %(id)s
    on conflict do nothing
    """,
)
REMOVE_FAVOURITE = Statement(NoneType, "delete from studio.favourites where account_id = %(account)s and generation_id = %(id)s")
COUNTS = Statement(
    Count,
    """
    select s.status, (select count(*)::integer
                        from (select from studio.generations g
                               where g.account_id = %(account)s and g.status = s.status limit 1000) counted) as count
      from unnest(array['pending', 'uploading', 'processing', 'completed', 'failed', 'cancelled']) s (status)
    """,
)

START_BATCH = Statement(str, "select studio.start_batch(%(batch)s::jsonb)::text")
BATCH = Statement(BatchRow, "select id, kind, created_at from studio.batches where account_id = %(account)s and id = %(id)s")
BATCH_ITEMS = Statement(
    GenerationRow,
    f"""
    select {_COLUMNS}, {_PLACE}, {_PICTURES} as pictures
      from studio.batch_items i
      join studio.generations g on g.account_id = i.account_id and g.id = i.generation_id
     where i.account_id = %(account)s and i.batch_id = %(id)s
     order by i.position
    """,
)
CANCEL_BATCH = Statement(int, "select studio.cancel_batch(%(account)s, %(id)s)")

STATE = Statement(
    State,
    f"""
    select g.id, g.status, g.progress, g.step, g.error_message,
           {_PLACE}
      from studio.generations g where g.account_id = %(account)s and g.id = %(id)s
    """,
)

WAITING = Statement(
    Waiting,
    """
    select (select count(*)::integer from studio.generations where account_id = %(account)s and status = 'pending') as count,
           (select (value #>> '{}')::integer from core.settings where key = 'studio.waiting_limit') as limit
    """,
)

# The attempt is the fence: only the worker that claimed it last may write.
TAKE = Statement(
    ClaimedGeneration,
    f"""
    update studio.generations g
       set attempt = attempt + 1, status = case status when 'pending' then 'uploading' else status end,
           progress = 0, step = null, started_at = coalesce(started_at, now())
     where account_id = %(account)s and id = %(id)s and status in ('pending', 'uploading', 'processing')
    returning g.id, g.status, g.style_name, g.engine, g.prompt, g.parameters, g.seed, g.attempt,
      (select count(*) from studio.generation_files gf
        where gf.account_id = g.account_id and gf.generation_id = g.id)::integer as wanted,
      {_PICTURES} as inputs
    """,
)
PROGRESS = Statement(
    NoneType,
    """
    update studio.generations
       set status = 'processing', progress = greatest(progress, %(progress)s), step = %(step)s
     where account_id = %(account)s and id = %(id)s and attempt = %(attempt)s and status in ('uploading', 'processing')
    """,
)
INSERT_RESULT = Statement(
    NoneType,
    """
    insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
    values (%(account)s, %(id)s, 'result', %(position)s, %(file)s, 'generated_image')
    """,
)
REQUEUE_LOST = Statement(
    int,
    """
    select core.enqueue('studio.generate', jsonb_build_object('account_id', g.account_id, 'generation_id', g.id), 'studio',
                        -g.turn)
      from studio.generations g
     where g.status in ('pending', 'uploading', 'processing') and g.updated_at < now() - interval '5 minutes'
       and not exists (select from procrastinate_jobs j
                        where j.status in ('todo', 'doing') and j.task_name = 'studio.generate'
                          and j.args->>'generation_id' = g.id::text)
     order by g.id limit 100
    """,
)

_HUNG = """
    select f.account_id, gf.generation_id, g.style_name, u.name as maker, media.facts(f) as file
      from media.files f
      join studio.generation_files gf on gf.account_id = f.account_id and gf.file_id = f.id and gf.role = 'result'
      join studio.generations g on g.account_id = gf.account_id and g.id = gf.generation_id
      join accounts.accounts a on a.id = f.account_id and a.is_active
      left join accounts.users u on u.account_id = f.account_id
     where f.is_public and f.category = 'generated_image'"""
FEATURED = Statement(
    PublicResult,
    f"""
    {_HUNG} and exists (select from media.featured_files h where h.account_id = f.account_id and h.file_id = f.id)
     order by (select h.created_at from media.featured_files h where h.account_id = f.account_id and h.file_id = f.id) desc
     limit %(limit)s
    """,
)
WALL = Statement(PublicResult, f"{_HUNG} and f.id < %(before)s order by f.id desc limit %(limit)s")
HUNG = Statement(
    PublicPicture,
    f"""
    select shown.*, a.handle, coalesce(g.completed_at, g.created_at) as completed_at, coalesce((
             select jsonb_agg(media.facts(s) order by gs.role, gs.position)
               from studio.generation_files gs
               join media.files s on s.account_id = gs.account_id and s.id = gs.file_id
              where gs.account_id = shown.account_id and gs.generation_id = shown.generation_id
                and gs.role <> 'result' and s.is_public), '[]') as sources
      from ({_HUNG} and gf.account_id = %(account)s and gf.generation_id = %(id)s order by gf.position limit 1) shown
      join accounts.accounts a on a.id = shown.account_id
      join studio.generations g on g.account_id = shown.account_id and g.id = shown.generation_id
    """,
)

SITEMAP_STARTS = Statement(
    UUID,
    """
    select id from (select id, row_number() over (order by id) as position from media.files where is_public) numbered
     where position %% %(size)s = 1 order by id limit %(limit)s
    """,
)
SITEMAP_ROWS = Statement(
    SitemapRow,
    """
    select '/pictures/' || f.account_id || '/' || gf.generation_id as path, max(f.updated_at) as changed_at
      from (select account_id, id, updated_at from media.files
             where is_public and id >= %(first)s order by id limit %(size)s) f
      join studio.generation_files gf on gf.account_id = f.account_id and gf.file_id = f.id and gf.role = 'result'
      join accounts.accounts a on a.id = f.account_id and a.is_active
     group by f.account_id, gf.generation_id order by path
    """,
)

LOCK_TOKENS = Statement(bool, "select true from wallet.wallets where account_id = %(account)s and asset = 'token' for update")
CUT_OUT_RETURNED = Statement(bool, "select exists (select from wallet.grants where account_id = %(account)s and key = %(key)s)")
