"""The mirror's rows, events and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Malformed, Refusal, Unavailable


class BadSignature(Refusal):
    """This was not signed with the webhook's secret, or too long ago."""

    status = 400


class NotJson(Refusal):
    """A webhook sends application/json."""

    status = 415


class BadEvent(Malformed):
    """This is not an event of Stripe's."""


class ThinEvent(Refusal):
    """This is a thin event, which names an object without its state. Let the destination at Stripe send snapshot events."""

    status = 400


class NoSecret(Unavailable):
    """Webhooks are taken in once STRIPE_WEBHOOK_SECRET is set."""


class NoKey(Unavailable):
    """This asks Stripe: set STRIPE_API_KEY first."""


class UnderWay(Refusal):
    """Stripe's lists are being read already. Wait until that is done."""

    status = 409


class CustomerLinked(Refusal):
    """This customer belongs to another account. Take that link away first."""

    status = 409
    constraint = "customer_linked_once"
    field = "customer"


class NoSuchCustomer(Refusal):
    """The mirror has no customer by that id."""

    status = 404
    field = "customer"


class NoSuchAccount(Refusal):
    """There is no account by that id or e-mail address."""

    status = 404
    field = "account"


class SeveralAccounts(Refusal):
    """Several accounts have this e-mail address. Name one by its id."""

    status = 409
    field = "account"


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


class ThinEnvelope(msgspec.Struct):
    """An event of Stripe's API v2, without the object that it is about."""

    id: Name
    type: Name
    object: Literal["v2.core.event"]


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
    """A span of creation times (seconds, the end excluded) and how far it was read, from its end downwards.

    `since` is where its whole run begins; `began_at` when it did, by Stripe's clock.
    """

    run: UUID
    kind: str
    starts_at: int
    ends_at: int
    since: int
    began_at: datetime
    last_id: str | None = None
    fetched: int = 0


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


class ThinEvents(msgspec.Struct, frozen=True):
    """Thin events that were refused: how many, and the last one's type and time."""

    count: int
    last_type: str
    last_at: datetime


class Difference(msgspec.Struct, frozen=True):
    """Where the mirror and what it should be disagree."""

    id: str
    what: str
    expected: dict[str, Any] | None
    found: dict[str, Any] | None


class Digest(msgspec.Struct, frozen=True):
    """A state of the mirror in one word."""

    objects: int
    state: str


class Reading(msgspec.Struct, frozen=True):
    """The last time that a list was read: when it began by Stripe's clock, objects, and when it ended."""

    kind: str
    began_at: datetime
    fetched: int
    finished_at: datetime | None


class Holder(msgspec.Struct, frozen=True):
    """An account that may be linked."""

    id: UUID
    kind: str
    email: str | None


class Link(msgspec.Struct, frozen=True):
    """Whose customer is whose account."""

    account_id: UUID
    customer_id: str
    created_at: datetime
    account_email: str | None
    account_kind: str
    customer_email: str | None
    customer_name: str | None


class Suggestion(msgspec.Struct, frozen=True):
    """A customer and an account of one e-mail address, which proves nothing: so many customers and accounts share it."""

    customer_id: str
    customer_email: str | None
    customer_name: str | None
    account_id: UUID
    account_kind: str
    verified: bool
    customers: int
    accounts: int
