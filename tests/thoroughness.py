"""How many examples Hypothesis tries: VETRINA_TEST_PROFILE is `full` (in CI, and by default) or `fast`."""

from __future__ import annotations

import os
from typing import TypeVar

from hypothesis import settings

Count = TypeVar("Count")

PROFILE = os.environ.get("VETRINA_TEST_PROFILE", "full")
PROFILES = {"full": 100, "fast": 20}
"""The profiles, with the examples of a test that names no number."""


def by_profile(*, full: Count, fast: Count) -> Count:
    """Return what belongs to the profile of this run."""
    return fast if PROFILE == "fast" else full


def load() -> None:
    """Set Hypothesis up. Raises ValueError for an unknown profile."""
    if PROFILE not in PROFILES:
        raise ValueError(f"VETRINA_TEST_PROFILE is {PROFILE}; it may be {' or '.join(PROFILES)}.")
    settings.register_profile(PROFILE, max_examples=PROFILES[PROFILE])
    settings.load_profile(PROFILE)
