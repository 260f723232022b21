"""Profiles of a site: which of the five documented systems it is run as.

`VETRINA_PROFILE` names one. It decides which modules are served, unless `VETRINA_ONLY` does, and which credits are shown and
sold. Its gifts and limits are written into the settings of a new database, and by `vetrina profile --apply` into those of any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SiteProfile:
    """What a site serves, sells and gives."""

    about: str
    modules: tuple[str, ...] = ()
    """Modules to serve, with those that they need; all if empty."""
    assets: frozenset[str] | None = None
    """Credits that are shown and sold; None for those that a served module spends."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Values of settings (`core.settings`)."""


PROFILES = {
    "all": SiteProfile(
        "Everything", settings={"wallet.welcome_tokens": 20, "limits.daily_uploads": {"count": 100, "seconds": 86400}}
    ),
    "gallery": SiteProfile(
        "An artists' gallery with billing by Stripe",
        ("gallery", "payments", "reports"),
        frozenset({"image_slot"}),
        {"wallet.welcome_tokens": 0, "limits.daily_uploads": {"count": 100, "seconds": 86400}},
    ),
    "style-studio": SiteProfile(
        "An image studio paid with tokens",
        ("studio", "payments"),
        frozenset({"token"}),
        {"wallet.welcome_tokens": 20, "limits.daily_uploads": {"count": 0, "seconds": 86400}},
    ),
    "cogento": SiteProfile(
        "A copy of Stripe for reporting",
        ("reports", "stripe_mirror"),
        frozenset(),
        {"wallet.welcome_tokens": 0},
    ),
    "ai-stayler": SiteProfile(
        "Conversions and vendors' galleries by monthly plans",
        ("studio", "payments"),
        frozenset({"conversion", "image_slot"}),
        {"wallet.welcome_tokens": 0, "limits.daily_uploads": {"count": 0, "seconds": 86400}},
    ),
    "contacts": SiteProfile(
        "A marketplace of contacts with paid reveals",
        ("payments", "media"),
        frozenset({"contact", "posting"}),
        {"wallet.welcome_tokens": 0, "limits.daily_uploads": {"count": 100, "seconds": 86400}},
    ),
}
"""By the names of the documented systems."""
