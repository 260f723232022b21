"""Accounts with a session and a file each, created in bulk, whose ids both sides of a comparison can compute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from bench.environment import Environment
from vetrina.accounts.sessions.tokens import AccessTokens
from vetrina.core.services import connect
from vetrina.studio.generations import actions
from vetrina.studio.generations.actions import GenerationRequest

FUNDED, UNFUNDED = 1000, 250
"""Accounts 1..1000 can pay for everything, 1001..1250 (a fifth of all) for nothing."""
BALANCE = 10**9
EARLIER_GENERATIONS = 20
"""Generations that each funded account has already."""
STYLE = "watercolour"
PROMPT = "A quiet morning"

# bench.people: the benchmark's own table, read by pgbench to build the same statements as the web processes.
_MAKE: tuple[str, ...] = (
    "create schema bench",
    "create table bench.people (n integer primary key, account_id uuid, session_id uuid, file_id uuid)",
    f"""
    insert into bench.people
    select n, format('01900000-0000-7000-8000-%s', lpad(n::text, 12, '0'))::uuid,
           format('01900000-0001-7000-8000-%s', lpad(n::text, 12, '0'))::uuid,
           format('01900000-0002-7000-8000-%s', lpad(n::text, 12, '0'))::uuid
      from generate_series(1, {FUNDED + UNFUNDED}) n
    """,
    "update core.settings set value = '0' where key in ('wallet.welcome_tokens', 'studio.waiting_limit')",
    """
    insert into accounts.accounts (id, kind, email)
    select account_id, 'user', 'bench' || n || '@example.com' from bench.people order by n
    """,
    "insert into accounts.users (account_id, name) select account_id, 'Bench' from bench.people order by n",
    """
    insert into accounts.sessions (account_id, id, refresh_token_hash, expires_at)
    select account_id, session_id, sha256(session_id::text::bytea), now() + interval '30 days' from bench.people order by n
    """,
    """
    insert into media.files (account_id, id, category, file_name, storage_key, sha256, mime, bytes, width, height, colour,
                             thumbnails)
    select account_id, file_id, 'product_image', 'bench.jpg', account_id || '/' || file_id, sha256(file_id::text::bytea),
           'image/jpeg', 1000000, 4000, 3000, '#808080',
           '{"320": {"width": 320, "height": 240}, "640": {"width": 640, "height": 480}, "1280": {"width": 1280, "height": 960}}'
      from bench.people order by n
    """,
    f"select count(wallet.grant_credits(account_id, 'token', {BALANCE}, 'gift', 'bench')) from bench.people where n <= {FUNDED}",
    # Existing rows, so that plans and index depths are not those of empty tables.
    *(
        f"""
        select count(*) from (
          select studio.start_all(jsonb_agg(jsonb_build_object('account_id', account_id, 'id', core.new_id(),
                   'session_id', session_id, 'style_name', '{STYLE}', 'seed', n, 'product_files', jsonb_build_array(file_id))))
            from bench.people where n <= {FUNDED} group by n / 50) started
        """
        for _ in range(EARLIER_GENERATIONS)
    ),
    "create table bench.wallets as select * from wallet.wallets",
    "create table bench.grants as select * from wallet.grants",
    "create table bench.mark as select clock_timestamp() as at, max(id) as job from procrastinate_jobs",
    "grant usage on schema bench to vetrina_app",
    "grant select on bench.people to vetrina_app",
)

# Both sides start with the same tables: rows since the mark are deleted, balances are restored.
RESET: tuple[str, ...] = (
    "set session_replication_role = replica",
    "delete from studio.generation_files where created_at > (select at from bench.mark)",
    "delete from studio.generations where created_at > (select at from bench.mark)",
    "delete from wallet.entries where created_at > (select at from bench.mark)",
    "delete from wallet.holds where created_at > (select at from bench.mark)",
    "delete from core.usage where created_at > (select at from bench.mark)",
    "delete from core.idempotency_keys where created_at > (select at from bench.mark)",
    "delete from procrastinate_events where job_id > (select job from bench.mark)",
    "delete from procrastinate_jobs where id > (select job from bench.mark)",
    """
    update wallet.wallets w set balance = k.balance, held = k.held
      from bench.wallets k where (w.account_id, w.asset) = (k.account_id, k.asset) and w.held <> k.held
    """,
    """
    update wallet.grants g set remaining = k.remaining
      from bench.grants k where (g.account_id, g.id) = (k.account_id, k.id) and g.remaining <> k.remaining
    """,
    "vacuum analyze",
    "checkpoint",
)


@dataclass(frozen=True)
class BenchAccount:
    """An account as the web processes see it."""

    account: UUID
    session: UUID
    file: UUID
    token: str


def create_accounts(env: Environment, database: str) -> list[BenchAccount]:
    """Create the accounts and return them in the order of their numbers."""
    env.run(database, *_MAKE)
    tokens = AccessTokens(connect(env.settings, env.uri("app", database)).keys)
    accounts: list[BenchAccount] = []
    for n in range(1, FUNDED + UNFUNDED + 1):
        account, session, file = (UUID(f"01900000-000{kind}-7000-8000-{n:012d}") for kind in range(3))
        accounts.append(BenchAccount(account, session, file, tokens.issue(account, session, "user")))
    return accounts


def request_body(account: BenchAccount) -> bytes:
    """Return the body of a request."""
    return msgspec.json.encode(
        {"style_name": STYLE, "prompt": PROMPT, "product_files": [account.file], "parameters": {"size": 480}}
    )


def write_requests(accounts: list[BenchAccount], to: Path) -> Path:
    """Write a file with one request per line: token, path, body, between tabs."""
    to.write_bytes(
        b"\n".join(account.token.encode() + b"\t/api/v1/generations\t" + request_body(account) for account in accounts)
    )
    return to


def write_pgbench_script(env: Environment, database: str, count: int, to: Path) -> Path:
    """Write pgbench's script: the statement of one request, for one of the first `count` accounts."""
    services = connect(env.settings, env.uri("app", database))
    parameters = actions.check(services, GenerationRequest(STYLE, PROMPT, [UUID(int=1)], parameters={"size": 480}))
    encoded = msgspec.json.encode(parameters).decode().replace("'", "''").replace(":", ": ")
    to.write_text(
        f"\\set n random(1, {count})\n"
        "\\set seed random(0, 2147483647)\n"
        "select studio.start(jsonb_build_object('account_id', account_id, 'id', uuidv7(), 'session_id', session_id, "
        f"'style_name', '{STYLE}', 'prompt', '{PROMPT}', 'parameters', '{encoded}'::jsonb, 'seed', :seed::bigint, "
        "'charge', 'token', 'product_files', jsonb_build_array(file_id)))::text from bench.people where n = :n\n"
    )
    return to
