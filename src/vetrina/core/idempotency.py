"""Idempotency-Key: a POST that moves money or credits takes effect once, however often it is sent.

The key is claimed in a transaction of its own; the response is stored in the transaction that finishes the work, so that both
commit or neither. In between, another request with the key gets 409. If the process that holds the key dies, another request
may take over after 60 s and reuses the same `work_id`.

async with idempotent(db, account, key, "POST /payments", data) as keyed:
    if keyed.answer is None:
        async with db.tx() as tx:
            payment = await actions.start(tx, keyed.work_id, data)
            await keyed.save_response(tx, 201, payment)
    return keyed.answer
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Database, Statement, Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import KeyInUse, KeyReused, Refusal, Unavailable

STALE = 60
"""Seconds after which a claim without a response belongs to a process that died."""


class Answer(msgspec.Struct, frozen=True):
    """An HTTP response: its status and its body as JSON text, exactly as first sent."""

    status: int
    body: str


class Claim(msgspec.Struct, frozen=True):
    """The outcome of claiming a key: the id and start of the work under way, or the stored response."""

    outcome: str
    work_id: UUID | None
    claimed_at: datetime | None
    response: dict[str, Any] | None


# The functions that `studio.start_all` uses inside its single statement.
CLAIM = Statement(
    Claim,
    """
    select outcome, work_id, claimed_at, response
      from core.claim_key(%(account)s, %(key)s, %(hash)s, %(work)s::uuid, %(stale)s::double precision)
    """,
)
SAVE = Statement(bool, "select core.save_response(%(account)s, %(key)s, %(claimed)s, %(response)s)")
DELETE = Statement(bool, "select core.release_key(%(account)s, %(key)s, %(claimed)s, true)")
RELEASE = Statement(bool, "select core.release_key(%(account)s, %(key)s, %(claimed)s, false)")
DELETE_ALL = Statement(NoneType, "delete from core.idempotency_keys where account_id = %(account)s")


class IdempotentRequest:
    """One request that holds an idempotency key. `answer` is set if the request was answered before.

    `work_id` is the id for the new resource. After a takeover it is the one that the first process used, so insert it with `on
    conflict do nothing` and send it to external services as their idempotency key.
    """

    def __init__(self, work_id: UUID, *, answer: Answer | None = None) -> None:
        self.work_id = work_id
        self.answer = answer
        self.replayed = answer is not None
        self._claimed_key: dict[str, Any] | None = None

    @classmethod
    def claimed(cls, account: AccountId, key: str, claim: Claim) -> IdempotentRequest:
        """Return the request of a claimed key."""
        keyed = cls(claim.work_id or new_id())
        keyed._claimed_key = {"account": account, "key": key, "claimed": claim.claimed_at}
        return keyed

    async def save_response(self, tx: Tx, status: int, body: Any) -> Answer:
        """Store the response in the transaction that does the work. `body` is any value that msgspec encodes as JSON.

        Raises KeyInUse (409), so that the transaction is rolled back, when another process took over the key.
        """
        answer = Answer(status, msgspec.json.encode(body).decode())
        response = Jsonb(msgspec.to_builtins(answer))
        if self._claimed_key is not None and not await tx.fetch_one(SAVE, **self._claimed_key, response=response):
            raise KeyInUse
        self.answer = answer
        return answer

    async def release(self, db: Database, statement: Statement[Any]) -> None:
        """Release the key without a response."""
        if self._claimed_key is None:
            return
        with contextlib.suppress(Unavailable, psycopg.Error):
            async with db.read() as tx:
                await tx.fetch_one(statement, **self._claimed_key)


@asynccontextmanager
async def idempotent(db: Database, account: AccountId, key: str | None, *request: Any) -> AsyncGenerator[IdempotentRequest, None]:
    """Claim `key` of `account` for a request, identified by `request` (route and body). Without a key every request is new.

    A refused request deletes the key, so that it can be sent again. After an unexpected error, or when the database failed, the
    next request with the key continues with the same `work_id`. Raises KeyInUse (409) while another request holds it, KeyReused
    (422) if it was used for a different request.
    """
    keyed = await _claim(db, account, key, _hash(request)) if key is not None else IdempotentRequest(new_id())
    try:
        yield keyed
    except Unavailable:
        await keyed.release(db, RELEASE)
        raise
    except Refusal:
        await keyed.release(db, DELETE)
        raise
    except Exception:
        await keyed.release(db, RELEASE)
        raise
    if keyed.answer is None:
        await keyed.release(db, RELEASE)
        raise RuntimeError(f"{request[0]} saved no response")


async def _claim(db: Database, account: AccountId, key: str, sha256: bytes) -> IdempotentRequest:
    async with db.read() as tx:
        claim = await tx.fetch_one(CLAIM, account=account, key=key, hash=sha256, work=new_id(), stale=STALE)
    match claim.outcome:
        case "claimed":
            return IdempotentRequest.claimed(account, key, claim)
        case "replayed":
            return IdempotentRequest(new_id(), answer=msgspec.convert(claim.response, Answer))
        case "reused":
            raise KeyReused
        case _:
            raise KeyInUse


def _hash(request: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).digest()
