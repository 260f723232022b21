"""What a module adds to the application, in one declared object.

Each module's package declares `MODULE`, and `vetrina.modules` lists them. Code files are named by dotted path and imported on
first use, so that declaring costs nothing: a short command imports no web framework, a web process no worker.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, LiteralString
from uuid import UUID

from vetrina.core.module.operator_parts import AccountSection, Figure, SearchGroup
from vetrina.core.module.parts import Command, ErrorPage, LedgerSubject, NotificationKind, Place, Subject


@dataclass(frozen=True)
class Module:
    """What one module adds. A file with routes defines a list `ROUTES`."""

    name: str
    requires: tuple[str, ...] = ()
    """Modules without which it cannot be served."""
    api: tuple[str, ...] = ()
    """Files with routes mounted under /api/v1."""
    pages: tuple[str, ...] = ()
    """Files with pages and other routes mounted at the root, such as webhooks and streams."""
    jobs: tuple[str, ...] = ()
    """Files that declare background jobs."""
    slow_queues: tuple[tuple[str, int | None], ...] = ()
    """Queues of long jobs, each with its number of slots per worker process (None: `VETRINA_WORKER_CONCURRENCY`). All other
    queues share the slots for short jobs.
    """
    commands: tuple[Command, ...] = ()
    services: tuple[str, ...] = ()
    """Classes that a process has one object of ("vetrina.core.rate_limits:Limits"): those that `Services.get` returns."""
    personal_data: str = ""
    """The file whose `PERSONAL_DATA` declares what an export contains and an erasure deletes of the module's tables."""
    navigation: tuple[Place, ...] = ()
    """Entries of the main navigation for signed-in users."""
    account_menu: tuple[Place, ...] = ()
    settings_navigation: tuple[Place, ...] = ()
    operator_navigation: tuple[Place, ...] = ()
    account_sections: tuple[AccountSection, ...] = ()
    figures: tuple[str, ...] = ()
    """Functions ("package.file:name") of a transaction and a time that return a list of `Figure` since then."""
    searches: tuple[str, ...] = ()
    """Functions ("package.file:name") of a transaction and a text that return a `SearchGroup`. Their statements use indexes."""
    header: tuple[str, ...] = ()
    """Templates at the end of every page's header: a balance, the account menu. Those of upper modules come first."""
    session_columns: tuple[tuple[LiteralString, LiteralString], ...] = ()
    """Values for the module's header templates: name, and an SQL expression over the signed-in account `a`. They are read in
    the statement that checks the session.
    """
    labels: str = ""
    """The file with labels of the module's actions: any of AUDIT, USAGE and AUDIT_DETAILS."""
    checks: str = ""
    """The file whose `CHECKS` are shown by `vetrina doctor` and to operators (`core.checks`)."""
    channels: tuple[str, ...] = ()
    """Channels on which its triggers NOTIFY and its code subscribes."""
    links: tuple[tuple[str, str], ...] = ()
    """Pages that lower modules link to: the link's name and the address with `{placeholders}`."""
    ledger_subjects: tuple[LedgerSubject, ...] = ()
    stripe_events: tuple[str, ...] = ()
    """Types of Stripe events (LIKE patterns) for which the inbox enqueues a job."""
    error_pages: tuple[ErrorPage, ...] = ()
    sign_in: str = ""
    """The page for users who have to sign in first."""
    after_sign_in: str = ""
    """The default page after signing in."""
    spends: tuple[str, ...] = ()
    """Assets of the wallet that the module's actions spend: packs of them are for sale while the module is loaded."""
    sitemaps: tuple[str, ...] = ()
    """Files whose SITEMAP lists public things of the module (`core.web.public.sitemap`)."""
    footer: str = ""
    """A function ("package.file:name") of the services that returns further links of the footer, as `Place`s."""
    public_prefixes: tuple[str, ...] = ()
    """Beginnings of public addresses below those of a navigation, which is for signed-in users: crawlers may read them."""
    profile_tabs: tuple[Place, ...] = ()
    """Tabs of an account's public page; `href` is what follows the page's address."""
    wall: str = ""
    """A function ("package.file:name") of the services, a transaction and the reader's account (or None) that returns cards
    for the start page's wall.
    """
    hides: str = ""
    """A function ("package.file:name") of a transaction, the reader's account and another that returns whether the other's pages
    and pictures are hidden from the reader, such as by a block.
    """
    message_subjects: tuple[tuple[str, str], ...] = ()
    """What a message may be about: a kind, and a function ("package.file:name") of a transaction, the reader's account and ids
    that returns the `Subject`s that the reader may see, by id.
    """
    notifications: tuple[NotificationKind, ...] = ()
    """What the module notifies accounts of."""
    home: str = ""
    """The site's start page; `vetrina.modules.HOMES` sets which module takes precedence."""

    def api_routes(self) -> list[Any]:
        """Return the handlers of the module's API."""
        return _routes(self.api)

    def page_routes(self) -> list[Any]:
        """Return the handlers of the module's pages."""
        return _routes(self.pages)

    def declare_jobs(self) -> None:
        """Import the files that declare jobs, which registers them with the job queue."""
        for path in self.jobs:
            importlib.import_module(path)


@dataclass(frozen=True)
class Modules:
    """The modules of a process: all installed ones, lowest first, and those that it serves."""

    installed: tuple[Module, ...] = ()
    loaded: tuple[Module, ...] = ()
    assets: frozenset[str] | None = None
    """Credits that the site shows and sells; None for those that a loaded module spends."""

    def __iter__(self) -> Iterator[Module]:
        return iter(self.loaded)

    def loads(self, name: str) -> bool:
        """Return whether the module's routes and jobs are loaded."""
        return any(module.name == name for module in self.loaded)

    @cached_property
    def session_columns(self) -> tuple[tuple[LiteralString, LiteralString], ...]:
        """Return the loaded modules' session columns."""
        return tuple(column for module in self for column in module.session_columns)

    @cached_property
    def audit_titles(self) -> dict[str, str]:
        """Return the labels of audit log actions of all installed modules."""
        return self._labels("AUDIT")

    @cached_property
    def audit_details(self) -> dict[str, Callable[[Mapping[str, Any]], str]]:
        """Return functions that describe an audit log action from its metadata."""
        return self._labels("AUDIT_DETAILS")

    @cached_property
    def usage_titles(self) -> dict[str, str]:
        """Return the labels of usage record actions of all installed modules."""
        return self._labels("USAGE")

    def _labels(self, name: str) -> dict[str, Any]:
        files = [importlib.import_module(module.labels) for module in self.installed if module.labels]
        return {action: label for file in files for action, label in getattr(file, name, {}).items()}

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Return every channel of an installed module."""
        return tuple(channel for module in self.installed for channel in module.channels)

    @cached_property
    def ledger_subjects(self) -> tuple[LedgerSubject, ...]:
        """Return the ledger subjects of all installed modules."""
        return tuple(subject for module in self.installed for subject in module.ledger_subjects)

    @cached_property
    def _links(self) -> dict[str, str]:
        return {name: address for module in self for name, address in module.links}

    def link(self, name: str, **parts: object) -> str | None:
        """Return the address of an upper module's page, such as ("picture", account=..., id=...).

        None if no loaded module has it.
        """
        address = self._links.get(name)
        return address.format(**parts) if address else None

    @cached_property
    def stripe_events(self) -> list[str]:
        """Return the types of Stripe events (LIKE patterns) that a loaded module handles."""
        return [pattern for module in self for pattern in module.stripe_events]

    @cached_property
    def spends(self) -> frozenset[str]:
        """Return the assets that a loaded module spends and that the site shows."""
        spent = frozenset(asset for module in self for asset in module.spends)
        return spent if self.assets is None else spent & self.assets

    @cached_property
    def error_pages(self) -> dict[int, ErrorPage]:
        """Return the titles and links of error pages by HTTP status."""
        return {way_out.status: way_out for module in self for way_out in module.error_pages}

    @cached_property
    def sign_in(self) -> str:
        """Return the page for users who have to sign in first."""
        return next((module.sign_in for module in self if module.sign_in), "/")

    @cached_property
    def after_sign_in(self) -> str:
        """Return the default page after signing in: the uppermost module's, or the front page."""
        return next((module.after_sign_in for module in reversed(self.loaded) if module.after_sign_in), "/")

    @cached_property
    def sitemaps(self) -> dict[str, Any]:
        """Return the sources of the sitemap by name."""
        sources = [importlib.import_module(path).SITEMAP for module in self for path in module.sitemaps]
        return {source.name: source for source in sources}

    @cached_property
    def footers(self) -> tuple[Callable[[Any], list[Place]], ...]:
        """Return the functions that return links of the footer."""
        return tuple(_function(module.footer) for module in self if module.footer)

    @cached_property
    def account_sections(self) -> tuple[tuple[str, Callable[[Any, Any], Awaitable[dict[str, Any]]]], ...]:
        """Return the templates of sections on the operators' page of an account, each with the function that loads it."""
        sections = sorted((part for module in self for part in module.account_sections), key=lambda part: part.position)
        return tuple((part.template, _function(part.load)) for part in sections)

    @cached_property
    def wall(self) -> Callable[[Any, Any, Any], Awaitable[list[dict[str, Any]]]] | None:
        """Return the function of the uppermost module that has cards for the start page; None if none has."""
        names = [module.wall.partition(":") for module in reversed(self.loaded) if module.wall]
        return next((getattr(importlib.import_module(file), name) for file, _, name in names), None)

    @cached_property
    def hides(self) -> tuple[Callable[[Any, UUID, UUID], Awaitable[bool]], ...]:
        """Return the functions that hide one account from another."""
        return tuple(_function(module.hides) for module in self if module.hides)

    @cached_property
    def message_subjects(self) -> dict[str, Callable[[Any, UUID, list[str]], Awaitable[dict[str, Subject]]]]:
        """Return the functions that read what messages are about, by kind."""
        return {kind: _function(name) for module in self for kind, name in module.message_subjects}

    @cached_property
    def notification_kinds(self) -> dict[str, NotificationKind]:
        """Return what accounts are notified of, by name."""
        return {kind.name: kind for module in self for kind in module.notifications}

    @cached_property
    def figures(self) -> tuple[Callable[[Any, datetime], Awaitable[list[Figure]]], ...]:
        """Return the functions of the operators' figures."""
        return tuple(_function(name) for module in self for name in module.figures)

    @cached_property
    def searches(self) -> tuple[Callable[[Any, str], Awaitable[SearchGroup]], ...]:
        """Return the functions of the operators' search."""
        return tuple(_function(name) for module in self for name in module.searches)

    @cached_property
    def private_paths(self) -> list[str]:
        """Return the paths of the navigations, which need an account: crawlers keep out of them."""
        places = (
            place
            for module in self
            for part in (module.navigation, module.account_menu, module.settings_navigation, module.operator_navigation)
            for place in part
        )
        return sorted({f"/{place.href.split('/')[1]}" for place in places})

    @cached_property
    def public_prefixes(self) -> list[str]:
        """Return the beginnings of public addresses below those of the navigations."""
        return sorted(prefix for module in self for prefix in module.public_prefixes)

    def page_frame(self) -> dict[str, Any]:
        """Return what the base templates need of the loaded modules: navigations and header templates."""
        return {
            "loads": self.loads,
            "spends": self.spends,
            "sign_in": self.sign_in,
            "link": self.link,
            "navigation": _sorted(place for module in self for place in module.navigation),
            "account_menu": _sorted(place for module in self for place in module.account_menu),
            "settings_places": _sorted(place for module in self for place in module.settings_navigation),
            "profile_places": _sorted(place for module in self for place in module.profile_tabs),
            "operator_places": _sorted(place for module in self for place in module.operator_navigation),
            "header": [template for module in reversed(self.loaded) for template in module.header],
        }


def _sorted(places: Iterable[Place]) -> list[Place]:
    return sorted(places, key=lambda place: place.position)


def _function(name: str) -> Callable[..., Any]:
    file, _, function = name.partition(":")
    return getattr(importlib.import_module(file), function)


def _routes(paths: tuple[str, ...]) -> list[Any]:
    return [route for path in paths for route in importlib.import_module(path).ROUTES]
