"""`vetrina demo accounts`: sign-in, profiles and privacy; one file per chapter."""

from __future__ import annotations

from vetrina.demo.chapters import privacy, profiles, sign_in
from vetrina.demo.runner import DemoRun

CHAPTERS = (sign_in.run, profiles.run, privacy.run)
"""Run in this order against one site; each starts signed out."""


def run(demo: DemoRun) -> None:
    """Run every chapter. Raises CheckFailed at the first failed check."""
    for chapter in CHAPTERS:
        demo.client.headers.pop("Authorization", None)
        chapter(demo)
