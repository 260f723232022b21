"""The mirror's rows, events and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from vetrina.core.refusals import Malformed, Refusal, Unavailable


class BadSignature(Refusal):
    """This was not signed with the webhook's secret, or too long ago."""

    status = 400


class NotJson(Refusal):
    """A webhook sends application/json."""

    status = 415


class BadEvent(Malformed):
    """This is not an event of Stripe's."""


class NoSecret(Unavailable):
    """Webhooks are taken in once STRIPE_WEBHOOK_SECRET is set."""


class NoKey(Unavailable):
    """This asks Stripe: set STRIPE_API_KEY first."""


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Object(msgspec.Struct):
    object: str | None = None
    id: str | None = None


class _Data(msgspec.Struct):
    object: _Object


class Envelope(msgspec.Struct):
    """What has to be right about an event for it to be kept; the rest is Stripe's affair. `created` is in seconds."""

    id: Name
    type: Name
    created: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
    data: _Data


class Event(msgspec.Struct, frozen=True):
    """An event to take in: its JSON, and its bytes when they held characters that PostgreSQL cannot keep."""

    id: str
    text: str
    original: bytes | None = None


class Unsettled(msgspec.Struct, frozen=True):
    """An object that has to be fetched, and why (tie, list, missing)."""

    kind: str
    object_id: str
    reason: str
    at: datetime
    attempts: int


class Range(msgspec.Struct):
    """A span of creation times (seconds, the end excluded) and how far it was fetched, from its end downwards."""

    run: str
    kind: str
    starts_at: int
    ends_at: int
    last_id: str | None
    fetched: int
    finished_at: datetime | None = None


class KindStatus(msgspec.Struct, frozen=True):
    """One kind in figures."""

    kind: str
    rows: int
    deleted: int
    events: int
    last_event_at: datetime | None
    unsettled: int
    failing: int
    last_error: str | None


class Lag(msgspec.Struct, frozen=True):
    """The inbox: how many events, the last, and seconds from happening to being here over the last hundred."""

    events: int
    unknown: int
    last_type: str | None
    last_at: datetime | None
    median_seconds: float | None
    worst_seconds: float | None


class Difference(msgspec.Struct, frozen=True):
    """Where the mirror and what it should be disagree."""

    id: str
    what: str
    expected: Any
    found: Any


class Digest(msgspec.Struct, frozen=True):
    """A state of the mirror in one word."""

    objects: int
    state: str
