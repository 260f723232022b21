"""What a module declares for the frame: commands, places of navigations, titles of ledger entries, error pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True)
class Command:
    """A command of the command line: `target` is its entry point ("vetrina.payments.commands:app"), `help` its help text."""

    name: str
    target: str
    help: str


@dataclass(frozen=True)
class Place:
    """A page in a navigation. `name` is the name the page is rendered with, so that the current entry is highlighted.

    Entries of all modules are sorted by `position`. `key` is the letter that opens the page when typed after "g".
    """

    name: str
    href: str
    title: str
    icon: str = ""
    about: str = ""
    position: int = 0
    key: str = ""


@dataclass(frozen=True)
class LedgerSubject:
    """A subject that credits were spent on or granted for: ledger entries whose subject is `kind:id`."""

    kind: str
    href: str
    """Address of its page; `{id}` is replaced by the id."""
    spent_on: str = ""
    """Title of an entry spent on it."""
    named: str = ""
    """Title of such an entry if it has a name, with `{name}`."""
    name_sql: LiteralString = ""
    """SQL expression over the ledger's entry `e` for that name; null for other entries."""
    reasons: tuple[tuple[str, str], ...] = ()
    """Reasons for which credits were returned: the stored reason and its label."""


@dataclass(frozen=True)
class ErrorPage:
    """Title and next link of the error page for an HTTP status."""

    status: int
    title: str
    href: str
    action: str


@dataclass(frozen=True)
class Subject:
    """What a message is about, as its reader may see it."""

    title: str
    href: str


@dataclass(frozen=True)
class NotificationKind:
    """What an account is notified of. Rows of one kind and subject are shown as one.

    The words have `{name}` of who caused it last and `{n}` of how many others did, and what its details contain; `{amount}` is
    written from the details `amount` (minor units) and `currency`.
    """

    name: str
    title: str
    """In the settings: "Likes"."""
    one: str
    many: tuple[str, str] = ("", "")
    """Singular and plural, by `{n}`; empty for what no account causes."""
    href: str = ""
    """Its page; `{subject}` is replaced by the subject."""
    icon: str = "bell"
    mail: bool = False
    """Whether it is in the daily mail unless the account says otherwise."""
    push: bool = True
    """Whether subscribed browsers show it unless the account says otherwise."""
