-- Pictures by fair share between accounts: round by round, one of each account. `turn` is the start tag of start-time fair
-- queueing (Goyal, Vin and Cheng, 1996) with one picture as the unit: an account that waits already goes to the round after its
-- last one, another to the round that is served now. The job's priority is its negation, so that the queue's own order
-- (priority, then id) is the order of the turns.

alter table studio.generations add column turn integer not null default 0;
-- squawk-ignore require-concurrent-index-deletion
drop index studio.generations_at_work;
-- squawk-ignore require-concurrent-index-creation
create index generations_at_work on studio.generations (turn, id) where status in ('pending', 'uploading', 'processing');
-- squawk-ignore require-concurrent-index-creation
create index generations_waiting on studio.generations (account_id, turn) where status = 'pending';

insert into core.settings (key, value, description) values
  ('studio.waiting_limit', '200', 'Pictures of one account that may wait in the queue at a time; 0 for any number.');

-- Several jobs of one kind at once, each with its own priority.
create function core.enqueue_all(p_task text, p_args jsonb[], p_queue text, p_priorities integer[]) returns bigint[]
language sql as $$
  select procrastinate_defer_jobs_v1(array(
    select row(p_queue, p_task, priority, null, null, args, null)::procrastinate_job_to_defer_v1
      from unnest(p_args, p_priorities) j (args, priority)))
$$;

-- Why this item's account may not start another picture now: the code of the refusal, or null. `p_before` are its items before
-- this one in the same batch.
create function studio.refuse_account(p_account uuid, p_before bigint) returns text
language sql stable as $$
  select case
    when (select s.file_bytes + s.export_bytes >= accounts.storage_limit(s) from accounts.storage s where s.account_id = p_account)
      then 'storage-full'
    when l.most > 0 and p_before + (select count(*) from (select from studio.generations g
           where g.account_id = p_account and g.status = 'pending' limit l.most) waiting) >= l.most
      then 'too-many-waiting' end
    from (select (value #>> '{}')::bigint as most from core.settings where key = 'studio.waiting_limit') l
$$;

-- As before, with the account's reasons after the item's own.
create or replace function studio.resolve_inputs(p_items jsonb) returns setof studio.start_request
language sql stable as $$
  select e.position::integer, i.account_id, i.id, i.key, decode(i.request_hash, 'hex'), i.style_name, s.engine,
         coalesce(i.prompt, ''), coalesce(i.parameters, '{}'), i.seed, coalesce(i.charge, 'token'),
         case coalesce(i.charge, 'token') when 'token' then s.cost else 1 end::bigint, i.retry_of,
         case when e.value ? 'session_id' and (
                select a.is_active from accounts.sessions l join accounts.accounts a on a.id = l.account_id
                 where l.account_id = i.account_id and l.id = i.session_id
                   and l.revoked_at is null and l.expires_at > now()) is not true then 'unauthenticated'
              when s.engine is null then 'unknown-style'
              when f.found < f.wanted then 'file-not-found'
              when f.fitting < f.wanted then 'wrong-category'
              else studio.refuse_account(i.account_id, row_number() over (partition by i.account_id order by e.position) - 1) end,
         f.facts, f.files, null::timestamptz, null::uuid
    from jsonb_array_elements(p_items) with ordinality e (value, position)
   cross join lateral jsonb_to_record(e.value) as i (
     account_id uuid, id uuid, session_id uuid, key text, request_hash text, style_name text, prompt text,
     parameters jsonb, seed bigint, charge text, product_files uuid[], model_files uuid[], retry_of uuid)
    left join studio.styles s on s.name = i.style_name and s.is_active
   cross join lateral (
     select count(m.id) as found, count(*) as wanted, count(*) filter (where m.category = w.role || '_image') as fitting,
            coalesce(jsonb_agg(jsonb_build_object('role', w.role, 'file', media.facts(m)) order by w.role, w.place), '[]')
              as facts,
            array_agg(row(i.account_id, i.id, w.role, w.place, w.file_id)::studio.chosen_file) as files
       from (select 'product' as role, p.file_id, p.place from unnest(i.product_files) with ordinality p (file_id, place)
             union all
             select 'model', p.file_id, p.place from unnest(i.model_files) with ordinality p (file_id, place)) w
       left join media.files m on m.account_id = i.account_id and m.id = w.file_id
   ) f
   order by e.position
$$;

-- Write charged generations: rows with their turns, files, usage records and jobs, one statement a table.
create or replace function studio.insert_started(p_requests studio.start_request[]) returns void
language plpgsql as $$
declare
  v_round integer := coalesce((
    select turn from studio.generations where status in ('pending', 'uploading', 'processing') and status = 'pending'
     order by turn, id limit 1), 0);    -- the round that is served now
  v_turns integer[] := array(
    select greatest(v_round, (select max(g.turn) + 1 from studio.generations g
                               where g.account_id = r.account_id and g.status = 'pending'))
           + row_number() over (partition by r.account_id order by r.ordinality) - 1
      from unnest(p_requests) with ordinality r order by r.ordinality);
begin
  insert into studio.generations
    (account_id, id, style_name, engine, prompt, parameters, seed, charge_asset, cost, hold_id, retry_of, turn)
  select r.account_id, r.id, r.style_name, r.engine, r.prompt, r.parameters, r.seed, r.charge_asset, r.cost, r.hold_id,
         r.retry_of, t.turn
    from unnest(p_requests) with ordinality r
    join unnest(v_turns) with ordinality t (turn, ordinality) using (ordinality);
  insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
  select f.account_id, f.generation_id, f.role, f.place, f.file_id, f.role || '_image'
    from unnest(p_requests) r cross join lateral unnest(r.files) f;
  insert into core.usage (account_id, action, metadata)
  select account_id, 'generation_started',
         jsonb_build_object('generation_id', id, 'style_name', style_name, 'asset', charge_asset, 'cost', cost)
    from unnest(p_requests);
  perform core.enqueue_all('studio.generate',
    (select array_agg(jsonb_build_object('account_id', account_id, 'generation_id', id)) from unnest(p_requests)), 'studio',
    array(select -turn from unnest(v_turns) turn));
end
$$;
