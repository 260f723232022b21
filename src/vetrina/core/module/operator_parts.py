"""What modules add to the operators' pages: sections of an account's page, hits of the search, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class AccountSection:
    """A section on the operators' page of an account: `template` shows what `load` returns, in `data`.

    `load` is a function ("package.file:name") of a transaction and the account's id.
    """

    template: str
    load: str
    position: int = 0


@dataclass(frozen=True)
class SearchHit:
    """A hit of the operators' search. `exact` if the whole identifier was given."""

    title: str
    href: str
    detail: str = ""
    exact: bool = False


@dataclass(frozen=True)
class SearchGroup:
    """Hits of one kind; if there are `more`, `href` with the text appended lists them all."""

    name: str
    title: str
    hits: list[SearchHit]
    more: bool = False
    href: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure on the operators' front page: what happened, by the hour that it happened in, or what there is `now`.

    `about` says what it counts and from which rows; `href` is the list of it. `unit` is "", "bytes" or a currency's code.
    """

    name: str
    title: str
    about: str
    href: str = ""
    unit: str = ""
    hours: Mapping[datetime, int] = field(default_factory=dict[datetime, int])
    now: int | None = None
    chart: bool = False
