"""Proven domains: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal


class DomainRow(msgspec.Struct, frozen=True):
    """A domain and how its proof stands. `domain` is in its ASCII form; `answer` is what was found last."""

    id: UUID
    domain: str
    verification_code: str
    status: str
    verified_at: datetime | None
    checked_at: datetime | None
    answer: str | None
    created_at: datetime


class DomainDue(msgspec.Struct, frozen=True):
    """A domain to be looked up; the result counts while the lease is the row's."""

    account_id: UUID
    id: UUID
    domain: str
    verification_code: str
    leased_until: datetime


class InvalidDomain(Refusal):
    """This is not a domain that can be proven: write it like example.com."""

    status = 422
    constraint = "domain_is_plain"
    field = "domain"


class PublicSuffix(Refusal):
    """Under this name everybody can have a domain, so nobody can prove it. Write the whole of yours, like example.com."""

    status = 422
    field = "domain"


class DomainListed(Refusal):
    """This domain is in your list already."""

    status = 409
    constraint = "domain_added_once"
    field = "domain"


class TooManyDomains(Refusal):
    """An account has at most 20 domains."""

    status = 409
    field = "domain"
