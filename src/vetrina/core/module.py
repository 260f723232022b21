"""What a module adds to the application, in one declared object.

Each module's package declares `MODULE`, and `vetrina.modules` lists them. Files of code are named by dotted path and imported
when they are used, so that declaring costs nothing: a short command imports no web framework, a web process no worker.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, LiteralString


@dataclass(frozen=True)
class Command:
    """A command of the command line: `target` is what it runs ("vetrina.payments.commands:app"), `help` its line of help."""

    name: str
    target: str
    help: str


@dataclass(frozen=True)
class Place:
    """A page in a navigation. `name` is what the page itself is rendered with, so that the navigation shows where one is.

    Places of all modules are sorted by `position`. `key` is the letter that, typed after "g", leads there.
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
    """What credits were spent on or came from: an entry of the ledger whose subject is `kind:id`."""

    kind: str
    href: str
    """Its page; `{id}` stands for the id."""
    spent_on: str = ""
    """What an entry is called that was spent on it."""
    named: str = ""
    """The same where it has a name of its own, `{name}`."""
    name_sql: LiteralString = ""
    """An SQL expression over the ledger's entry `e` for that name, null for other entries."""
    reasons: tuple[tuple[str, str], ...] = ()
    """Why credits came back: the reason that is kept, and how people are told."""


@dataclass(frozen=True)
class WayOut:
    """What the page of a refusal with this HTTP status is called, and the link that leads on from there."""

    status: int
    title: str
    href: str
    action: str


@dataclass(frozen=True)
class Module:
    """What one module adds. A path of a file with routes names a list `ROUTES` in it."""

    name: str
    requires: tuple[str, ...] = ()
    """Modules without which it cannot be served."""
    api: tuple[str, ...] = ()
    """Files with routes that are mounted under /api/v1."""
    pages: tuple[str, ...] = ()
    """Files with pages and other routes that are mounted as they are, such as webhooks and streams."""
    jobs: tuple[str, ...] = ()
    """Files that declare background jobs."""
    slow_queues: tuple[tuple[str, int | None], ...] = ()
    """Queues of long jobs, each with its number of slots in a worker process (None: `VETRINA_WORKER_CONCURRENCY`). Every
    other queue shares the slots for quick jobs."""
    commands: tuple[Command, ...] = ()
    personal_data: str = ""
    """The file whose `PART` says what an export holds of the module's tables and what an erasure deletes."""
    navigation: tuple[Place, ...] = ()
    """Places of the main navigation, for people who are signed in."""
    account_menu: tuple[Place, ...] = ()
    settings_navigation: tuple[Place, ...] = ()
    operator_navigation: tuple[Place, ...] = ()
    header: tuple[str, ...] = ()
    """Templates that draw the end of every page's head: a balance, the account's menu. An upper module's come first."""
    session_columns: tuple[tuple[LiteralString, LiteralString], ...] = ()
    """What the module's templates in the head read: name, and an SQL expression over the signed-in account `a`. They are
    read in the one statement that checks the session."""
    labels: str = ""
    """The file with the titles of the module's actions: AUDIT, USAGE and AUDIT_DETAILS, those of them that it has."""
    channels: tuple[str, ...] = ()
    """Channels on which its triggers NOTIFY and to which its code subscribes."""
    links: tuple[tuple[str, str], ...] = ()
    """Pages to which modules below lead: what they are asked for by, and the address with its `{names}`."""
    ledger_subjects: tuple[LedgerSubject, ...] = ()
    stripe_events: tuple[str, ...] = ()
    """Types of Stripe events (LIKE patterns) for which the inbox enqueues a job."""
    ways_out: tuple[WayOut, ...] = ()
    sign_in: str = ""
    """The page to which people are sent who have to sign in first."""
    after_sign_in: str = ""
    """Where people go who have signed in, from nowhere in particular."""
    spends: tuple[str, ...] = ()
    """Assets of the wallet that the module's actions take: what buys them is for sale while the module is loaded."""
    home: str = ""
    """The page that the site starts with; `vetrina.modules.HOMES` says which module is asked first."""

    def api_routes(self) -> list[Any]:
        """Return the handlers of the module's API."""
        return _routes(self.api)

    def page_routes(self) -> list[Any]:
        """Return the handlers of the module's pages."""
        return _routes(self.pages)

    def declare_jobs(self) -> None:
        """Import the files that declare jobs, which makes the job queue know them."""
        for path in self.jobs:
            importlib.import_module(path)


@dataclass(frozen=True)
class Modules:
    """The modules of a process: all that are installed, from the bottom of the stair up, and those that it serves."""

    installed: tuple[Module, ...] = ()
    loaded: tuple[Module, ...] = ()

    def __iter__(self) -> Iterator[Module]:
        return iter(self.loaded)

    def loads(self, name: str) -> bool:
        """Return whether the module's routes and jobs are loaded."""
        return any(module.name == name for module in self.loaded)

    @cached_property
    def session_columns(self) -> tuple[tuple[LiteralString, LiteralString], ...]:
        """The loaded modules' session columns."""
        return tuple(column for module in self for column in module.session_columns)

    @cached_property
    def audit_titles(self) -> dict[str, str]:
        """What actions are called in the audit log, of all installed modules."""
        return self._labels("AUDIT")

    @cached_property
    def audit_details(self) -> dict[str, Callable[[Mapping[str, Any]], str]]:
        """What the audit log says of an action besides, made of its metadata."""
        return self._labels("AUDIT_DETAILS")

    @cached_property
    def usage_titles(self) -> dict[str, str]:
        """What actions are called in the usage record, of all installed modules."""
        return self._labels("USAGE")

    def _labels(self, name: str) -> dict[str, Any]:
        files = [importlib.import_module(module.labels) for module in self.installed if module.labels]
        return {action: label for file in files for action, label in getattr(file, name, {}).items()}

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Every channel of an installed module."""
        return tuple(channel for module in self.installed for channel in module.channels)

    @cached_property
    def ledger_subjects(self) -> tuple[LedgerSubject, ...]:
        """What credits are spent on, of all installed modules."""
        return tuple(subject for module in self.installed for subject in module.ledger_subjects)

    @cached_property
    def _links(self) -> dict[str, str]:
        return {name: address for module in self for name, address in module.links}

    def link(self, name: str, **parts: object) -> str | None:
        """Return the address of an upper module's page, such as ("picture", account=..., id=...).

        None where no loaded module has it.
        """
        address = self._links.get(name)
        return address.format(**parts) if address else None

    @cached_property
    def stripe_events(self) -> list[str]:
        """Types of Stripe events (LIKE patterns) that a loaded module handles."""
        return [pattern for module in self for pattern in module.stripe_events]

    @cached_property
    def spends(self) -> frozenset[str]:
        """The assets that something on this site takes."""
        return frozenset(asset for module in self for asset in module.spends)

    @cached_property
    def ways_out(self) -> dict[int, WayOut]:
        """What leads on from a refusal's page, by HTTP status."""
        return {way_out.status: way_out for module in self for way_out in module.ways_out}

    @cached_property
    def sign_in(self) -> str:
        """The page to which people are sent who have to sign in first."""
        return next((module.sign_in for module in self if module.sign_in), "/")

    @cached_property
    def after_sign_in(self) -> str:
        """Where people go who have signed in: the uppermost module's page, the front page where no module has one."""
        return next((module.after_sign_in for module in reversed(self.loaded) if module.after_sign_in), "/")

    def page_frame(self) -> dict[str, Any]:
        """Return what the base templates show of the loaded modules: navigations and the end of the head."""
        return {
            "loads": self.loads,
            "sign_in": self.sign_in,
            "link": self.link,
            "navigation": _sorted(place for module in self for place in module.navigation),
            "account_menu": _sorted(place for module in self for place in module.account_menu),
            "settings_places": _sorted(place for module in self for place in module.settings_navigation),
            "operator_places": _sorted(place for module in self for place in module.operator_navigation),
            "header": [template for module in reversed(self.loaded) for template in module.header],
        }


def _sorted(places: Iterable[Place]) -> list[Place]:
    return sorted(places, key=lambda place: place.position)


def _routes(paths: tuple[str, ...]) -> list[Any]:
    return [route for path in paths for route in importlib.import_module(path).ROUTES]
