"""The modules of the application, lowest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetrina import accounts, core, gallery, media, messaging, notifications, payments, reports, stripe_mirror, studio, wallet
from vetrina.core.module import Module, Modules
from vetrina.core.settings.environment import BadSetting, Settings
from vetrina.site_profiles import PROFILES

if TYPE_CHECKING:
    from vetrina.core.database.timeouts import Timeouts
    from vetrina.core.services import Services

CORE: Module = core.MODULE
"""Always loaded."""

MODULES: tuple[Module, ...] = (
    accounts.MODULE,
    notifications.MODULE,
    wallet.MODULE,
    media.MODULE,
    stripe_mirror.MODULE,
    payments.MODULE,
    studio.MODULE,
    gallery.MODULE,
    messaging.MODULE,
    reports.MODULE,
)

HOMES = ("studio", "reports", "stripe_mirror", "accounts")
"""The site's start page is that of the first of these modules that is loaded."""


def loaded(settings: Settings) -> list[str]:
    """Return the names of the modules that VETRINA_ONLY or VETRINA_PROFILE selects, with those they require, in order.

    Raises BadSetting for an unknown module.
    """
    names = [module.name for module in MODULES]
    requested = {name.strip() for name in settings.only.split(",")} - {""}
    if unknown := requested - set(names):
        raise BadSetting(f"VETRINA_ONLY names {', '.join(sorted(unknown))}; there are {', '.join(names)}.")
    requested = requested or set(PROFILES[settings.profile].modules) or set(names)
    for module in reversed(MODULES):
        if module.name in requested:
            requested.update(module.requires)
    return [name for name in names if name in requested]


def of(settings: Settings) -> Modules:
    """Return the installed modules and those that these settings load. Raises BadSetting as `loaded` does."""
    names = loaded(settings)
    served = (CORE, *(module for module in MODULES if module.name in names))
    return Modules((CORE, *MODULES), served, PROFILES[settings.profile].assets)


def connect(settings: Settings, uri: str, limits: Timeouts | None = None) -> Services:
    """Return the services of a process that uses the database at `uri`, with the modules, not yet opened.

    `limits` are the statement timeouts; by default those of jobs.
    """
    from vetrina.core import services  # the command line reads this file and needs neither storage nor keys

    connected = services.connect(settings, uri, limits) if limits else services.connect(settings, uri)
    connected.modules = of(settings)
    return connected
