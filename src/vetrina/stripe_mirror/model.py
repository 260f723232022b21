"""Rows, events and refusals of the mirror."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Malformed, Refusal, Unavailable


class InvalidSignature(Refusal):
    """The signature does not match the webhook secret, or it is too old."""

    status = 400


class NotJson(Refusal):
    """A webhook must send application/json."""

    status = 415


class InvalidEvent(Malformed):
    """Not a valid Stripe event."""


class ThinEvent(Refusal):
    """Thin events contain no object. Configure the event destination at Stripe to send snapshot events."""

    status = 400


class WebhookSecretMissing(Unavailable):
    """Set STRIPE_WEBHOOK_SECRET to receive webhooks."""


class ApiKeyMissing(Unavailable):
    """Set STRIPE_API_KEY first."""


class AlreadyRunning(Refusal):
    """Stripe's lists are being read already. Try again when that is done."""

    status = 409


class CustomerLinked(Refusal):
    """This customer is linked to another account. Remove that link first."""

    status = 409
    constraint = "customer_linked_once"
    field = "customer"


class CustomerInUse(Refusal):
    """This customer belongs to the payments of its account. The link cannot be removed."""

    status = 409
    field = "customer"


class NoSuchCustomer(Refusal):
    """The mirror has no customer with this id."""

    status = 404
    field = "customer"


class NoSuchAccount(Refusal):
    """No account has this id or e-mail address."""

    status = 404
    field = "account"


class SeveralAccounts(Refusal):
    """Several accounts have this e-mail address. Use the account id."""

    status = 409
    field = "account"


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Object(msgspec.Struct):
    object: str | None = None
    id: str | None = None


class _Data(msgspec.Struct):
    object: _Object


class Envelope(msgspec.Struct):
    """The parts of an event that are validated before it is stored. `created` is in seconds."""

    id: Name
    type: Name
    created: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
    data: _Data


class ThinEnvelope(msgspec.Struct):
    """An event of Stripe's API v2, which does not contain its object."""

    id: Name
    type: Name
    object: Literal["v2.core.event"]


class Event(msgspec.Struct, frozen=True):
    """An event to ingest: its JSON, and the original bytes if characters were replaced."""

    id: str
    text: str
    original: bytes | None = None


class UnresolvedObject(msgspec.Struct, frozen=True):
    """An object that has to be fetched, with the reason (tie, list, missing)."""

    kind: str
    object_id: str
    reason: str
    at: datetime
    attempts: int


class Range(msgspec.Struct):
    """A range of creation times (seconds, end exclusive), read from its end downwards.

    `since` is the start of the whole run; `began_at` is when the run started, by Stripe's clock.
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
    """Counts and errors of one kind."""

    kind: str
    rows: int
    deleted: int
    events: int
    last_event_at: datetime | None
    unresolved: int
    failing: int
    last_error: str | None


class Lag(msgspec.Struct, frozen=True):
    """The inbox: number of events, the last one, and the delay in seconds over the last hundred."""

    events: int
    unknown: int
    last_type: str | None
    last_at: datetime | None
    median_seconds: float | None
    worst_seconds: float | None


class ThinEvents(msgspec.Struct, frozen=True):
    """Refused thin events: their number, and type and time of the last one."""

    count: int
    last_type: str
    last_at: datetime


class Difference(msgspec.Struct, frozen=True):
    """A difference between the mirror and the expected state."""

    id: str
    what: str
    expected: dict[str, Any] | None
    found: dict[str, Any] | None


class StateDigest(msgspec.Struct, frozen=True):
    """The hash of a state of the mirror."""

    objects: int
    state: str


class ListRun(msgspec.Struct, frozen=True):
    """The last run that read a list: start by Stripe's clock, number of objects, end."""

    kind: str
    began_at: datetime
    fetched: int
    finished_at: datetime | None


class AccountMatch(msgspec.Struct, frozen=True):
    """An account that matches an id or e-mail address."""

    id: UUID
    kind: str
    email: str | None


LinkOrigin = Literal["checkout", "operator", "import"]
"""Who made a link."""


class Link(msgspec.Struct, frozen=True):
    """A link between a Stripe customer and an account."""

    account_id: UUID
    customer_id: str
    created_at: datetime
    origin: LinkOrigin
    is_primary: bool
    """Whether this is the customer by which the account is charged and reported."""
    account_email: str | None
    account_kind: str
    customer_email: str | None
    customer_name: str | None


class Suggestion(msgspec.Struct, frozen=True):
    """A customer and an account with the same e-mail address, and how many customers and accounts share it.

    It proves nothing.
    """

    customer_id: str
    customer_email: str | None
    customer_name: str | None
    account_id: UUID
    account_kind: str
    verified: bool
    customers: int
    accounts: int
