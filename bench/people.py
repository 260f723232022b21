"""Accounts with a session and a picture each, made in bulk, whose ids both sides of a race can compute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from bench.house import House
from vetrina.accounts.tokens import AccessTokens
from vetrina.core.services import connect
from vetrina.studio import actions
from vetrina.studio.actions import Wish

RICH, POOR = 1000, 250
"""Accounts 1..1000 can pay for everything, 1001..1250 for nothing: a fifth of all."""
BALANCE = 10**9
STYLE = "watercolour"
PROMPT = "A quiet morning"

# bench.people: the race's own table, read by pgbench to build what the web processes send.
_MAKE = (
    "create schema bench",
    "create table bench.people (n integer primary key, account_id uuid, session_id uuid, file_id uuid)",
    f"""
    insert into bench.people
    select n, format('01900000-0000-7000-8000-%s', lpad(n::text, 12, '0'))::uuid,
           format('01900000-0001-7000-8000-%s', lpad(n::text, 12, '0'))::uuid,
           format('01900000-0002-7000-8000-%s', lpad(n::text, 12, '0'))::uuid
      from generate_series(1, {RICH + POOR}) n
    """,
    "update core.settings set value = '0' where key = 'wallet.welcome_tokens'",
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
    f"select count(wallet.give(account_id, 'token', {BALANCE}, 'gift', 'bench')) from bench.people where n <= {RICH}",
    "create table bench.grants_made as select * from wallet.entries",
    "grant usage on schema bench to vetrina_app",
    "grant select on bench.people to vetrina_app",
    "vacuum analyze",
)

# Both sides of a race begin with the same tables: nothing started, every balance as it was given.
RESET = (
    """
    truncate studio.generations, studio.generation_files, wallet.holds, wallet.entries, core.usage, core.idempotency_keys,
             procrastinate_jobs, procrastinate_events cascade
    """,
    "insert into wallet.entries overriding system value select * from bench.grants_made order by position",
    "update wallet.wallets set balance = lifetime_granted, held = 0 where held > 0",
    "update wallet.grants set remaining = quantity where remaining < quantity",
    "vacuum analyze",
    "checkpoint",
)


@dataclass(frozen=True)
class Person:
    """Who asks, as the web processes see it."""

    account: UUID
    session: UUID
    file: UUID
    token: str


def settle(at: House, database: str) -> list[Person]:
    """Make them; in the order of their numbers."""
    at.run(database, *_MAKE)
    tokens = AccessTokens(connect(at.settings, at.uri("app", database)).keys)
    found: list[Person] = []
    for n in range(1, RICH + POOR + 1):
        account, session, file = (UUID(f"01900000-000{kind}-7000-8000-{n:012d}") for kind in range(3))
        found.append(Person(account, session, file, tokens.issue(account, session, "user")))
    return found


def wish(person: Person) -> bytes:
    """The body of a request."""
    return msgspec.json.encode(
        {"style_name": STYLE, "prompt": PROMPT, "product_files": [person.file], "parameters": {"size": 480}}
    )


def requests(people: list[Person], to: Path) -> Path:
    """A file with a request a line: token, tab, body."""
    to.write_bytes(b"\n".join(each.token.encode() + b"\t" + wish(each) for each in people))
    return to


def script(at: House, database: str, count: int, to: Path) -> Path:
    """pgbench's script: the statement of one request, for one of the first `count` people."""
    services = connect(at.settings, at.uri("app", database))
    parameters = actions.check(services, Wish(STYLE, PROMPT, [UUID(int=1)], parameters={"size": 480}))
    told = msgspec.json.encode(parameters).decode().replace("'", "''").replace(":", ": ")
    to.write_text(
        f"\\set n random(1, {count})\n"
        "\\set seed random(0, 2147483647)\n"
        "select studio.start(jsonb_build_object('account_id', account_id, 'id', uuidv7(), 'session_id', session_id, "
        f"'style_name', '{STYLE}', 'prompt', '{PROMPT}', 'parameters', '{told}'::jsonb, 'seed', :seed::bigint, "
        "'charge', 'token', 'product_files', jsonb_build_array(file_id)))::text from bench.people where n = :n\n"
    )
    return to
