"""Idempotency-Key: a POST that moves money or credits is done once, however often it is sent.

The key is claimed in a transaction of its own; the answer is kept in the transaction that finishes the
work, so that either both are there or neither. Between the two another sender is told to wait (409).
Who died while working is followed after 60 s, with the same `work_id`.

    async with once(db, account, key, "POST /payments", data) as turn:
        if turn.answer is None:
            async with db.tx() as tx:
                made = await actions.make(tx, turn.work_id, data)
                await turn.keep(tx, 201, made)
        return turn.answer
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
"""Seconds after which a claim without an answer belongs to a process that died."""


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer: its status and its body as JSON text, exactly as it was first sent."""

    status: int
    body: str


class Claim(msgspec.Struct, frozen=True):
    """The outcome of claiming a key: what is being made and since when, or the response that was given before."""

    outcome: str
    work_id: UUID | None
    claimed_at: datetime | None
    response: dict[str, Any] | None


# The functions that `studio.start_all` uses inside its one statement.
CLAIM = Statement(
    Claim,
    """
    select outcome, work_id, claimed_at, response
      from core.claim_key(%(account)s, %(key)s, %(hash)s, %(work)s::uuid, %(stale)s::double precision)
    """,
)
KEEP = Statement(bool, "select core.save_response(%(account)s, %(key)s, %(claimed)s, %(response)s)")
FORGET = Statement(bool, "select core.release_key(%(account)s, %(key)s, %(claimed)s, true)")
LET_GO = Statement(bool, "select core.release_key(%(account)s, %(key)s, %(claimed)s, false)")
FORGET_ALL = Statement(NoneType, "delete from core.idempotency_keys where account_id = %(account)s")


class Turn:
    """One request's turn at its key. `answer` is there already when the request was answered before.

    `work_id` is the id to give to what is made. After a takeover it is the one that the first process used, so
    write it with `on conflict do nothing` and send it to other people's services as their idempotency key.
    """

    def __init__(self, work_id: UUID, *, answer: Answer | None = None) -> None:
        self.work_id = work_id
        self.answer = answer
        self.replayed = answer is not None
        self._place: dict[str, Any] | None = None

    @classmethod
    def claimed(cls, account: AccountId, key: str, claim: Claim) -> Turn:
        """A turn whose answer has a place to be kept in."""
        turn = cls(claim.work_id or new_id())
        turn._place = {"account": account, "key": key, "claimed": claim.claimed_at}
        return turn

    async def keep(self, tx: Tx, status: int, body: Any) -> Answer:
        """Keep the answer in the transaction that does the work. `body` is anything that msgspec writes as JSON.

        Raises KeyInUse (409), so that the transaction is undone, when another process took the key over meanwhile.
        """
        answer = Answer(status, msgspec.json.encode(body).decode())
        if self._place is not None and not await tx.one(KEEP, **self._place, response=Jsonb(msgspec.to_builtins(answer))):
            raise KeyInUse
        self.answer = answer
        return answer

    async def leave(self, db: Database, statement: Statement[Any]) -> None:
        """Leave the key without an answer."""
        if self._place is None:
            return
        with contextlib.suppress(Unavailable, psycopg.Error):
            async with db.read() as tx:
                await tx.one(statement, **self._place)


@asynccontextmanager
async def once(db: Database, account: AccountId, key: str | None, *request: Any) -> AsyncGenerator[Turn, None]:
    """The turn of a request, told apart by `request` (route and body), at `account`'s `key`. None: every time anew.

    A request that is refused forgets the key, so that it can be sent again when it may succeed. After a fault, or
    when the database went away, the next sender goes on with the same `work_id`.
    Raises KeyInUse (409) while another works on it, KeyReused (422) if it was another request.
    """
    turn = await _turn(db, account, key, _hash(request)) if key is not None else Turn(new_id())
    try:
        yield turn
    except Unavailable:
        await turn.leave(db, LET_GO)
        raise
    except Refusal:
        await turn.leave(db, FORGET)
        raise
    except Exception:
        await turn.leave(db, LET_GO)
        raise
    if turn.answer is None:
        await turn.leave(db, LET_GO)
        raise RuntimeError(f"{request[0]} kept no answer")


async def _turn(db: Database, account: AccountId, key: str, sha256: bytes) -> Turn:
    async with db.read() as tx:
        claim = await tx.one(CLAIM, account=account, key=key, hash=sha256, work=new_id(), stale=STALE)
    match claim.outcome:
        case "claimed":
            return Turn.claimed(account, key, claim)
        case "replayed":
            return Turn(new_id(), answer=msgspec.convert(claim.response, Answer))
        case "reused":
            raise KeyReused
        case _:
            raise KeyInUse


def _hash(request: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).digest()
