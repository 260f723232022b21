"""Verified domains: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal


class DomainRow(msgspec.Struct, frozen=True):
    """A domain and the state of its verification. `domain` is in its ASCII form; `answer` is the result of the last lookup."""

    id: UUID
    domain: str
    verification_code: str
    status: str
    verified_at: datetime | None
    checked_at: datetime | None
    answer: str | None
    created_at: datetime


class DomainDue(msgspec.Struct, frozen=True):
    """A domain to be looked up. The result is stored only while `leased_until` is unchanged."""

    account_id: UUID
    id: UUID
    domain: str
    verification_code: str
    leased_until: datetime


class InvalidDomain(Refusal):
    """This is not a domain that can be verified: write it like example.com."""

    status = 422
    constraint = "domain_is_plain"
    field = "domain"


class PublicSuffix(Refusal):
    """This is a public suffix, under which anyone can register. Write your whole domain, like example.com."""

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
