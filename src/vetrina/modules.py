"""The modules of which the application consists, from the bottom of the stair up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetrina import accounts, core, media, payments, reports, stripe_mirror, studio, wallet
from vetrina.core.module import Module, Modules
from vetrina.core.settings import BadSetting, Settings

if TYPE_CHECKING:
    from vetrina.core.database.timeouts import Timeouts
    from vetrina.core.services import Services

CORE: Module = core.MODULE
"""Always loaded."""

MODULES: tuple[Module, ...] = (
    accounts.MODULE,
    wallet.MODULE,
    media.MODULE,
    stripe_mirror.MODULE,
    payments.MODULE,
    studio.MODULE,
    reports.MODULE,
)

HOMES = ("studio", "reports", "stripe_mirror", "accounts")
"""Whose start page the site has: the first of these that is loaded."""


def loaded(settings: Settings) -> list[str]:
    """Return the names of the modules that VETRINA_ONLY asks for, with those that they require, in order.

    Raises BadSetting for a module that does not exist.
    """
    names = [module.name for module in MODULES]
    wanted = {name.strip() for name in settings.only.split(",")} - {""}
    if unknown := wanted - set(names):
        raise BadSetting(f"VETRINA_ONLY names {', '.join(sorted(unknown))}; there are {', '.join(names)}.")
    wanted = wanted or set(names)
    for module in reversed(MODULES):
        if module.name in wanted:
            wanted.update(module.requires)
    return [name for name in names if name in wanted]


def of(settings: Settings) -> Modules:
    """Return the installed modules and those that these settings load. Raises BadSetting as `loaded` does."""
    names = loaded(settings)
    return Modules((CORE, *MODULES), (CORE, *(module for module in MODULES if module.name in names)))


def connect(settings: Settings, uri: str, limits: Timeouts | None = None) -> Services:
    """Return the services of a process that uses the database at `uri`, with the modules; nothing is opened yet.

    `limits` is how long statements may take; jobs' own if it is not given.
    """
    from vetrina.core import services  # the command line reads this file and needs no storage, no keys

    found = services.connect(settings, uri, limits) if limits else services.connect(settings, uri)
    found.modules = of(settings)
    return found
