"""Account administration: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Forbidden

State = Literal["active", "disabled", "erased"]


class ManagedAccount(msgspec.Struct, frozen=True):
    """An account as an operator sees it."""

    id: UUID
    kind: str
    email: str | None
    phone: str | None
    handle: str | None
    name: str | None
    state: str
    roles: list[str]
    last_login_at: datetime | None
    created_at: datetime


class AccountLabel(msgspec.Struct, frozen=True):
    """The label of an account in lists: its e-mail address, phone or name."""

    id: UUID
    name: str


class SuperuserRequired(Forbidden):
    """Only a superuser can do this to an operator."""


class CannotDisableSelf(Forbidden):
    """You cannot disable your own account; ask another operator."""


class Note(msgspec.Struct, frozen=True):
    """A note on an account, with its author's id and name."""

    id: UUID
    author_id: UUID
    author: str | None
    text: str
    created_at: datetime


class Hourly(msgspec.Struct, frozen=True):
    """A sum of what happened in one hour (its start, UTC), of one kind `key`."""

    hour: datetime
    key: str
    value: int


class JobLane(msgspec.Struct, frozen=True):
    """The jobs of one queue: waiting, waiting for a later time, running, failed."""

    queue: str
    due: int
    later: int
    running: int
    failed: int


class FailedJob(msgspec.Struct, frozen=True):
    """A job that failed for good: its attempts, when, and why."""

    id: int
    task: str
    queue: str
    attempts: int
    error: str | None
    at: datetime | None


class PeriodicJob(msgspec.Struct, frozen=True):
    """The last run of a periodic job: when it was due, and its state."""

    task: str
    due_at: datetime
    status: str
